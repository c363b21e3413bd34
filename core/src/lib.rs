//! Redstart core.

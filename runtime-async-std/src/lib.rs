//! Redstart.

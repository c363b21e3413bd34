//! Test kit of Redstart.

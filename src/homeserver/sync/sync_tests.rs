//! sync_tests

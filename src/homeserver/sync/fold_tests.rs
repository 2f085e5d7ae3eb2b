//! fold_tests

//! lazy_members

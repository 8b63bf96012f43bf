//! The functions of `include/ssmtp.h`, all of which the crate `ssmtp` defines.

extern crate rust as _;

//! Tests of what needs no responder.

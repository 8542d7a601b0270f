//! End-to-end: real control planes, driven from tests.

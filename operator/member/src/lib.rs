//! The member room applies a delivery in one cluster and reads its status, push and pull alike.

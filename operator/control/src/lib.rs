//! The control room acts: controllers, member clients, leader lease, metrics, health.

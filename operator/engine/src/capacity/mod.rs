//! How many replicas fit: node shapes, requests, slots, reservations.

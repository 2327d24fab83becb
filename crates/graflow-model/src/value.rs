//! What is recorded of a value: its content hash, its size, and by policy its text.

//! The vocabulary of Graflow Lineage.

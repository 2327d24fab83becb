//! The engine's behaviour: each meaning a table of cases.

mod north_star;

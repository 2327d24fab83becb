//! The fold.
/// In the making.
#[derive(Debug, Clone, Default)]
pub struct ExecutionState {}

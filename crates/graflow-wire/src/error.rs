use serde::{Deserialize, Serialize};

/// Every error's body.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ErrorBody {
    /// What is wrong, for people.
    #[cfg_attr(feature = "openapi", schema(example = "Execution not found"))]
    pub error: String,
    /// What is wrong, for programs.
    #[cfg_attr(feature = "openapi", schema(example = "execution_not_found"))]
    pub code: String,
    /// What to do about it.
    #[cfg_attr(
        feature = "openapi",
        schema(example = "GET /api/executions lists what is there; it may have been deleted")
    )]
    pub hint: String,
}

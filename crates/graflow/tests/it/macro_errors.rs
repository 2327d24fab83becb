//! Wrong use of `#[task]`: what the compiler says, and where. `TRYBUILD=overwrite` writes the expected words anew.

#[test]
fn wrong_use_is_told_at_its_place() {
    trybuild::TestCases::new().compile_fail("tests/fail/*.rs");
}

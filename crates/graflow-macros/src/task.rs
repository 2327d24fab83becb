//! From a function to its handle: reads everything, then writes, unless something was wrong.

use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::{Attribute, Expr, ExprLit, GenericParam, ItemFn, Lit, Meta, Signature};

use crate::errors::Errors;
use crate::handle::handle;
use crate::options::Options;
use crate::output::Output;
use crate::parameter::{Kind, Parameter};

/// Everything known about a task.
pub(crate) struct Task {
    pub(crate) options: Options,
    pub(crate) function: ItemFn,
    pub(crate) parameters: Vec<Parameter>,
    pub(crate) output: Output,
}

/// The whole of `#[task]`, as a function on tokens.
pub(crate) fn expand(attribute: TokenStream, item: TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let options = Options::parse(attribute, &mut errors);
    let mut function: ItemFn = match syn::parse2(item) {
        Ok(function) => function,
        Err(error) => {
            errors.add(syn::Error::new(error.span(), format!("#[task] stands on a function: {error}")));
            return errors.into_tokens().unwrap_or_default();
        }
    };
    check_signature(&function.sig, &mut errors);
    let parameters: Vec<Parameter> = function
        .sig
        .inputs
        .iter_mut()
        .enumerate()
        .filter_map(|(index, argument)| Parameter::read(index, argument, &mut errors))
        .collect();
    let output = Output::read(&function.sig.output, &mut errors);
    let task = Task { options, function, parameters, output };
    check_together(&task, &mut errors);
    match errors.into_tokens() {
        Some(errors) => errors,
        None => handle(&task),
    }
}

impl Task {
    /// The name that the workflow knows it by.
    pub(crate) fn name(&self) -> String {
        match &self.options.name {
            Some(name) => name.value(),
            None => self.function.sig.ident.to_string().trim_start_matches("r#").to_owned(),
        }
    }

    /// The first paragraph of its documentation.
    pub(crate) fn doc(&self) -> String {
        let mut lines = Vec::new();
        for line in self.function.attrs.iter().filter_map(doc_line) {
            let line = line.trim().to_owned();
            if line.is_empty() && !lines.is_empty() {
                break;
            }
            lines.push(line);
        }
        lines.join(" ").trim().to_owned()
    }

    /// Attributes that every generated item carries.
    pub(crate) fn shared_attributes(&self) -> Vec<&Attribute> {
        self.function.attrs.iter().filter(|attribute| attribute.path().is_ident("cfg")).collect()
    }

    pub(crate) fn wants_context(&self) -> bool {
        self.parameters.iter().any(|parameter| matches!(parameter.kind, Kind::Context))
    }
}

pub(crate) fn doc_line(attribute: &Attribute) -> Option<String> {
    let Meta::NameValue(pair) = &attribute.meta else { return None };
    match &pair.value {
        Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) if pair.path.is_ident("doc") => Some(text.value()),
        _ => None,
    }
}

fn check_signature(signature: &Signature, errors: &mut Errors) {
    for parameter in &signature.generics.params {
        match parameter {
            GenericParam::Lifetime(_) => {}
            other => errors.at(
                other,
                "a task cannot be generic: its result has one type, by which others find it; write one task a type",
            ),
        }
    }
    if let Some(constness) = &signature.constness {
        errors.at(constness, "a task runs while the workflow does; it cannot be `const`");
    }
    if let Some(abi) = &signature.abi {
        errors.at(abi, "a task is a plain Rust function");
    }
    if let Some(variadic) = &signature.variadic {
        errors.at(variadic, "a task's parameters are filled by name; it cannot be variadic");
    }
    let unsafety = signature.safety.to_token_stream();
    if !unsafety.is_empty() {
        errors.at(unsafety, "a task is safe to call; put the `unsafe` block inside");
    }
}

/// Rules between options, parameters and the return type.
fn check_together(task: &Task, errors: &mut Errors) {
    let options = &task.options;
    if let Some(inject) = &options.inject_context {
        let first = task.parameters.first().is_some_and(|parameter| matches!(parameter.kind, Kind::Context));
        if inject.value && !first {
            errors.at(inject, "`inject_context = true` wants the first parameter to be `&TaskContext`");
        }
        if !inject.value && task.wants_context() {
            errors.at(
                inject,
                "`inject_context = false`, yet a parameter is `&TaskContext`; remove one of the two",
            );
        }
    }
    if task.output.is_result {
        // The error is what `retry_if` looks at.
    } else if let Some(retry_if) = &options.retry_if {
        errors.at(retry_if, "`retry_if` looks at the error; the task has to return a `Result`");
    }
    let mut names: Vec<&str> = Vec::new();
    let mut iterations = 0;
    for parameter in &task.parameters {
        match parameter.kind {
            Kind::Context => continue,
            Kind::Iteration(_) => iterations += 1,
            _ => {}
        }
        if names.contains(&parameter.name.as_str()) {
            errors.at(&parameter.setter, format!("two parameters are called `{}`", parameter.name));
        }
        names.push(&parameter.name);
        if iterations > 0 && !task.output.is_next {
            errors.at(&parameter.ty, "an `#[iteration]` parameter needs a task that returns `Next<T>`");
        }
        if iterations > 1 && matches!(parameter.kind, Kind::Iteration(_)) {
            errors.at(&parameter.ty, "a task has one `#[iteration]` parameter");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use quote::quote;

    fn mistakes(attribute: TokenStream, item: TokenStream) -> usize {
        expand(attribute, item).to_string().matches("compile_error").count()
    }

    #[test]
    fn every_mistake_is_reported_at_once() {
        let item = quote! {
            fn broken<T>(self, (a, b): (u8, u8), c: &mut u8, d: impl Copy) -> &str { "" }
        };
        assert_eq!(mistakes(quote!(colour = "red", timeout = "soon", timeout = "1s"), item), 3 + 6);
    }

    #[test]
    fn a_good_task_expands_to_items() {
        let item = quote! {
            /// Doubles.
            async fn double(number: u32) -> u32 { number * 2 }
        };
        let expanded = expand(quote!(max_retries = 3, backoff = "1ms..1s"), item);
        let file: syn::File = syn::parse2(expanded).unwrap();
        assert_eq!(file.items.len(), 7);
    }
}

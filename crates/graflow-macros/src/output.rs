//! What a task returns: `T`, `Next<T>`, or a `Result` of either.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{GenericArgument, PathArguments, ReturnType, Type, parse_quote};

use crate::errors::Errors;

/// The return type, taken apart.
pub(crate) struct Output {
    /// The type of the result.
    pub(crate) ty: Type,
    /// Whether the task decides what comes next.
    pub(crate) is_next: bool,
    /// Whether the task can fail with an error.
    pub(crate) is_result: bool,
}

impl Output {
    pub(crate) fn read(written: &ReturnType, errors: &mut Errors) -> Self {
        let ty = match written {
            ReturnType::Default => parse_quote!(()),
            ReturnType::Type(_, ty) => (**ty).clone(),
        };
        let (ty, is_result) = match first_argument(&ty, "Result") {
            Some(inner) => (inner, true),
            None => (ty, false),
        };
        let (ty, is_next) = match first_argument(&ty, "Next") {
            Some(inner) => (inner, true),
            None => (ty, false),
        };
        match &ty {
            Type::Reference(reference)
                if reference.lifetime.as_ref().is_none_or(|name| name.ident != "static") =>
            {
                errors.at(
                    &ty,
                    "a task's result outlives the task; return an owned value, such as `String` or `Vec<T>`",
                );
            }
            Type::ImplTrait(_) => {
                errors.at(&ty, "a task's result has one type, by which others find it; write it out");
            }
            _ => {}
        }
        Self { ty, is_next, is_result }
    }

    /// The expression that turns `returned` into what the engine goes on with.
    pub(crate) fn outcome(&self, retry_if: Option<&syn::Expr>) -> TokenStream {
        let ty = &self.ty;
        let support = quote!(::graflow::macro_support);
        let done = if self.is_next {
            quote!(#support::Outcome::next(returned, #support::value_type!(#ty)))
        } else {
            quote!(#support::Outcome::done(returned, #support::value_type!(#ty)))
        };
        if !self.is_result {
            return quote!(::core::result::Result::Ok(#done));
        }
        let task_error = quote!(let error = #support::task_error!(error););
        let retry = retry_if.map_or_else(
            || task_error.clone(),
            |retry_if| {
                quote! {
                    let retry: bool = (#retry_if)(&error);
                    #task_error
                    let error = if retry { error } else { error.into_permanent() };
                }
            },
        );
        quote! {
            match returned {
                ::core::result::Result::Ok(returned) => ::core::result::Result::Ok(#done),
                ::core::result::Result::Err(error) => {
                    #retry
                    ::core::result::Result::Err(error)
                }
            }
        }
    }
}

/// The first `T` of `Wrapper<T, …>`, whatever path leads to the wrapper.
fn first_argument(ty: &Type, wrapper: &str) -> Option<Type> {
    let Type::Path(path) = ty else { return None };
    let segment = path.path.segments.last()?;
    let PathArguments::AngleBracketed(arguments) = &segment.arguments else { return None };
    if segment.ident != wrapper {
        return None;
    }
    arguments.args.iter().find_map(|argument| match argument {
        GenericArgument::Type(ty) => Some(ty.clone()),
        _ => None,
    })
}

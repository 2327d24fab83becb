//! Writes the items of a task: the handle's type and constructor, its setters, its description and its body.
//!
//! The handle is a struct with a named field: it takes the name in the type namespace only, so that
//! `extract::call` works, `extract()` is a function, and a parameter called `extract` may shadow it.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::Attribute;
use syn::spanned::Spanned;

use crate::parameter::{Kind, Parameter, written};
use crate::task::{Task, doc_line};

pub(crate) fn handle(task: &Task) -> TokenStream {
    let ident = &task.function.sig.ident;
    let vis = &task.function.vis;
    let name = task.name();
    let output = &task.output.ty;
    let shared = task.shared_attributes();
    let docs: Vec<&Attribute> =
        task.function.attrs.iter().filter(|found| doc_line(found).is_some()).collect();
    let docs = if docs.is_empty() {
        let line = format!("The task `{name}`.");
        quote!(#[doc = #line])
    } else {
        quote!(#(#docs)*)
    };
    let setters = task.parameters.iter().filter_map(setters_of(task));
    let body = body(task);
    let spec = spec(task);
    let checks = checks(task);
    let lints = quote! {
        #[allow(
            non_camel_case_types, dead_code, unused_mut, unreachable_pub, missing_docs, clippy::all,
            clippy::pedantic, clippy::allow_attributes, reason = "written by #[task]"
        )]
    };
    let must_use = "a task does nothing until it is part of a workflow";
    quote! {
        #(#shared)*
        #docs
        #lints
        #[derive(Clone, Debug)]
        #[must_use = #must_use]
        #vis struct #ident { __node: ::graflow::macro_support::TaskNode }

        #(#shared)*
        #docs
        #lints
        #vis fn #ident() -> #ident {
            #ident { __node: ::graflow::macro_support::TaskNode::new(#ident::__spec()) }
        }

        #(#shared)*
        #lints
        impl #ident {
            /// Gives this use of the task an id of its own.
            #vis fn named(mut self, id: impl ::core::convert::Into<::std::string::String>) -> Self {
                self.__node.rename(id.into());
                self
            }
            #(#setters)*
            #body
            #spec
        }

        #(#shared)*
        impl ::graflow::Task for #ident {
            type Output = #output;
            fn node(&self) -> &::graflow::macro_support::TaskNode { &self.__node }
            fn into_node(self) -> ::graflow::macro_support::TaskNode { self.__node }
        }

        #(#shared)*
        impl<__F: ::graflow::IntoFlow> ::core::ops::Shr<__F> for #ident {
            type Output = ::graflow::Flow;
            fn shr(self, next: __F) -> ::graflow::Flow { ::graflow::IntoFlow::into_flow(self) >> next }
        }

        #(#shared)*
        impl<__F: ::graflow::IntoFlow> ::core::ops::BitOr<__F> for #ident {
            type Output = ::graflow::Flow;
            fn bitor(self, other: __F) -> ::graflow::Flow { ::graflow::IntoFlow::into_flow(self) | other }
        }

        #(#shared)*
        impl ::core::convert::From<#ident> for ::graflow::Flow {
            fn from(task: #ident) -> Self { ::graflow::IntoFlow::into_flow(task) }
        }

        #checks
    }
}

/// One typed setter a parameter, by which a value is bound to this use of the task.
fn setters_of(task: &Task) -> impl FnMut(&Parameter) -> Option<TokenStream> {
    let vis = task.function.vis.clone();
    let mut slot = 0_u16;
    move |parameter| {
        if matches!(parameter.kind, Kind::Context) {
            return None;
        }
        let this_slot = slot;
        slot += 1;
        let (ty, value) = parameter.setter()?;
        let setter = &parameter.setter;
        let doc = format!("Binds the parameter `{}` for this use of the task.", parameter.name);
        Some(quote! {
            #[doc = #doc]
            #vis fn #setter(mut self, value: #ty) -> Self {
                self.__node.bind(#this_slot, #value);
                self
            }
        })
    }
}

/// `call`, the function as it was written, and `__run`, which fills its parameters.
fn body(task: &Task) -> TokenStream {
    let vis = &task.function.vis;
    let mut signature = task.function.sig.clone();
    signature.ident = syn::Ident::new("call", task.function.sig.ident.span());
    let block = &task.function.block;
    let attributes =
        task.function.attrs.iter().filter(|found| doc_line(found).is_none() && !found.path().is_ident("cfg"));
    let mut slot = 0_usize;
    let fetches: Vec<TokenStream> = task
        .parameters
        .iter()
        .map(|parameter| {
            let fetch = parameter.fetch(slot);
            slot += usize::from(!matches!(parameter.kind, Kind::Context));
            fetch
        })
        .collect();
    let arguments = task.parameters.iter().map(Parameter::argument);
    let outcome = task.output.outcome(task.options.retry_if.as_ref());
    let support = quote!(::graflow::macro_support);
    let inputs = if task.parameters.is_empty() { quote!(_) } else { quote!(mut __graflow_inputs) };
    let (await_, body) = if signature.asyncness.is_some() {
        (quote!(.await), quote!(#support::Body::Async(::std::boxed::Box::pin(Self::__fill(inputs)))))
    } else {
        (quote!(), quote!(#support::Body::Blocking(::std::boxed::Box::new(move || Self::__fill(inputs)))))
    };
    let asyncness = &signature.asyncness;
    quote! {
        /// The body alone, for unit tests.
        #(#attributes)*
        #vis #signature #block

        #[doc(hidden)]
        #asyncness fn __fill(#inputs: #support::Inputs) -> #support::Attempted {
            #(#fetches)*
            let returned = Self::call(#(#arguments),*) #await_;
            #outcome
        }

        #[doc(hidden)]
        fn __run(inputs: #support::Inputs) -> #support::Body { #body }
    }
}

/// The description of the task, one static.
fn spec(task: &Task) -> TokenStream {
    let support = quote!(::graflow::macro_support);
    let ident = &task.function.sig.ident;
    let (name, doc, function) = (task.name(), task.doc(), ident.to_string());
    let parameters = task.parameters.iter().filter_map(Parameter::spec);
    let output = &task.output.ty;
    let written_output = written(output);
    let is_async = task.function.sig.asyncness.is_some();
    let wants_context = task.wants_context();
    let options = &task.options;
    let track_lineage = options.track_lineage.as_ref().is_none_or(|track| track.value);
    let max_retries = optional(options.max_retries.as_ref().map(|value| {
        let backoff = &options.backoff;
        quote_spanned!(value.span()=> ::graflow::RetryPolicy::new(#value) #backoff)
    }));
    let max_cycles = optional(options.max_cycles.as_ref().map(|value| quote!(#value)));
    let timeout = optional(options.timeout.clone());
    let writes = &options.writes;
    let line = quote_spanned!(ident.span()=> ::core::line!());
    quote! {
        #[doc(hidden)]
        fn __spec() -> &'static #support::TaskSpec {
            static SPEC: #support::TaskSpec = #support::TaskSpec {
                name: #name,
                function: ::core::concat!(::core::module_path!(), "::", #function),
                doc: #doc,
                file: ::core::file!(),
                line: #line,
                parameters: &[#(#parameters),*],
                written_output: #written_output,
                output: || #support::value_type!(#output),
                is_async: #is_async,
                wants_context: #wants_context,
                track_lineage: #track_lineage,
                retry: #max_retries,
                max_cycles: #max_cycles,
                timeout: #timeout,
                writes: || ::std::vec![#(::graflow::Key::declaration(&(#writes))),*],
                run: #ident::__run,
            };
            &SPEC
        }
    }
}

fn optional(value: Option<TokenStream>) -> TokenStream {
    value.map_or_else(
        || quote!(::core::option::Option::None),
        |value| quote!(::core::option::Option::Some(#value)),
    )
}

/// What the compiler alone can check, with the error under the user's own type.
fn checks(task: &Task) -> TokenStream {
    let output = &task.output.ty;
    let iteration = task.parameters.iter().filter_map(|parameter| match &parameter.kind {
        Kind::Iteration(ty) => Some(quote_spanned!(ty.span()=> let _: fn(#output) -> #ty = |value| value;)),
        _ => None,
    });
    quote!(#(const _: () = { #iteration };)*)
}

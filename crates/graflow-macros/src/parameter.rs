//! What a parameter asks for, read from its type as it is written.

use proc_macro2::TokenStream;
use quote::{format_ident, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Attribute, FnArg, GenericArgument, Ident, Pat, PatType, PathArguments, Type};

use crate::errors::Errors;

/// A parameter of a task.
pub(crate) struct Parameter {
    /// The name that the engine looks for: the identifier without leading underscores.
    pub(crate) name: String,
    /// The name of the setter.
    pub(crate) setter: Ident,
    /// The local that holds what the engine hands over.
    pub(crate) local: Ident,
    pub(crate) kind: Kind,
    /// The type as written, for messages.
    pub(crate) ty: Type,
}

/// What fills a parameter.
pub(crate) enum Kind {
    /// `&TaskContext`
    Context,
    /// `Res<T>`
    Resource(Type),
    /// `Members<T>`
    Members(Type),
    /// `#[iteration] Option<T>`
    Iteration(Type),
    /// A result, a channel key or a bound value.
    Value { form: Form, optional: bool },
}

/// How a value is handed over.
pub(crate) enum Form {
    Reference(Type),
    Slice(Type),
    Text,
    Shared(Type),
    Owned(Type),
}

impl Parameter {
    /// Reads a parameter; `None` when it cannot be one.
    pub(crate) fn read(index: usize, argument: &mut FnArg, errors: &mut Errors) -> Option<Self> {
        let argument = match argument {
            FnArg::Receiver(receiver) => {
                errors.at(receiver, "a task is a free function; take what it needs as a resource, `Res<T>`");
                return None;
            }
            FnArg::Typed(argument) => argument,
        };
        let iteration = take_iteration(&mut argument.attrs, errors);
        let ident = match &*argument.pat {
            Pat::Ident(pattern) if pattern.by_ref.is_none() && pattern.subpat.is_none() => {
                pattern.ident.clone()
            }
            pattern => {
                errors.at(
                    pattern,
                    "a task's parameter is a plain name: it says which result or channel key fills it",
                );
                return None;
            }
        };
        let kind = if iteration { iteration_kind(argument, errors)? } else { kind(&argument.ty, errors)? };
        let name = ident.to_string();
        let name = name.trim_start_matches("r#").trim_start_matches('_').to_owned();
        if name.is_empty() && !matches!(kind, Kind::Context) {
            errors.at(
                &ident,
                "a parameter needs a name with letters: it says which result or channel key fills it",
            );
            return None;
        }
        if matches!(name.as_str(), "named" | "call") && !matches!(kind, Kind::Context | Kind::Members(_)) {
            errors.at(&ident, format!("a task's handle already has a method `{name}`; choose another name"));
        }
        let setter = if name.is_empty() { ident.clone() } else { setter_ident(&name, &ident) };
        let local = format_ident!("__graflow_{index}", span = ident.span());
        Some(Self { name, setter, local, kind, ty: (*argument.ty).clone() })
    }

    /// The statement that takes the value from `inputs` into the local; `slot` counts all but contexts.
    pub(crate) fn fetch(&self, slot: usize) -> TokenStream {
        let local = &self.local;
        let span = self.ty.span();
        match &self.kind {
            Kind::Context => quote!(let #local = __graflow_inputs.context();),
            Kind::Resource(ty) => {
                quote_spanned!(span=> let #local = __graflow_inputs.resource::<#ty>(#slot)?;)
            }
            Kind::Members(ty) => quote_spanned!(span=> let #local = __graflow_inputs.members::<#ty>(#slot)?;),
            Kind::Iteration(ty) => {
                quote_spanned!(span=> let #local = __graflow_inputs.iteration::<#ty>(#slot)?;)
            }
            Kind::Value { form, optional } => {
                let fetch = if *optional { quote!(optional) } else { quote!(required) };
                match form {
                    Form::Text if *optional => quote!(let #local = __graflow_inputs.optional_text(#slot)?;),
                    Form::Text => quote!(let #local = __graflow_inputs.text(#slot)?;),
                    _ => {
                        let ty = form.stored();
                        quote_spanned!(span=> let #local = __graflow_inputs.#fetch::<#ty>(#slot)?;)
                    }
                }
            }
        }
    }

    /// The expression that is passed to the body.
    pub(crate) fn argument(&self) -> TokenStream {
        let local = &self.local;
        let span = self.ty.span();
        let Kind::Value { form, optional } = &self.kind else {
            return if matches!(self.kind, Kind::Context) { quote!(&#local) } else { quote!(#local) };
        };
        match (form, optional) {
            (Form::Reference(_), false) => quote!(&*#local),
            (Form::Reference(_), true) => quote!(#local.get()),
            (Form::Slice(_), false) => quote!(#local.as_slice()),
            (Form::Slice(_), true) => quote!(#local.get().map(|values| values.as_slice())),
            (Form::Text, false) => quote!(#local.as_str()),
            (Form::Text, true) => quote!(#local.as_ref().map(|text| text.as_str())),
            (Form::Shared(_), false) => quote!(#local),
            (Form::Shared(_), true) => quote!(#local.shared()),
            (Form::Owned(ty), false) => quote_spanned!(span=> <#ty as ::core::clone::Clone>::clone(&*#local)),
            (Form::Owned(_), true) => quote_spanned!(span=> #local.get().cloned()),
        }
    }

    /// The description that the engine checks before the first task; `None` for a context.
    pub(crate) fn spec(&self) -> Option<TokenStream> {
        let name = &self.name;
        let written = written(&self.ty);
        let support = quote!(::graflow::macro_support);
        let (kind, accepts) = match &self.kind {
            Kind::Context => return None,
            Kind::Resource(ty) => (quote!(Resource), vec![quote!(#ty)]),
            Kind::Members(ty) => (quote!(Members), vec![quote!(#ty)]),
            Kind::Iteration(ty) => (quote!(Iteration), vec![quote!(#ty)]),
            Kind::Value { form, optional } => {
                let stored = form.stored();
                let mut accepts = vec![stored.clone()];
                if matches!(form, Form::Text) {
                    accepts.push(quote!(&'static str));
                }
                if *optional && !matches!(form, Form::Text | Form::Shared(_)) {
                    accepts.push(quote!(::core::option::Option<#stored>));
                }
                (if *optional { quote!(Optional) } else { quote!(Required) }, accepts)
            }
        };
        Some(quote! {
            #support::Parameter {
                name: #name,
                written: #written,
                kind: #support::ParameterKind::#kind,
                accepts: &[#(#support::type_of::<#accepts>),*],
            }
        })
    }

    /// The parameter and the body of the setter; `None` where nothing can be bound.
    pub(crate) fn setter(&self) -> Option<(TokenStream, TokenStream)> {
        let into_arc = |ty: &TokenStream| {
            (quote!(impl ::core::convert::Into<::std::sync::Arc<#ty>>), quote!(value.into()))
        };
        let (parameter, arc, ty) = match &self.kind {
            Kind::Context | Kind::Members(_) => return None,
            Kind::Resource(ty) => {
                let (parameter, arc) = into_arc(&quote!(#ty));
                (parameter, arc, quote!(#ty))
            }
            Kind::Iteration(ty) => (quote!(#ty), quote!(::std::sync::Arc::new(value)), quote!(#ty)),
            Kind::Value { form, .. } => {
                let ty = form.stored();
                match form {
                    Form::Shared(_) => {
                        let (parameter, arc) = into_arc(&ty);
                        (parameter, arc, ty)
                    }
                    Form::Text | Form::Slice(_) => (
                        quote!(impl ::core::convert::Into<#ty>),
                        quote!(::std::sync::Arc::<#ty>::new(value.into())),
                        ty,
                    ),
                    Form::Reference(_) | Form::Owned(_) => {
                        (quote!(#ty), quote!(::std::sync::Arc::new(value)), ty)
                    }
                }
            }
        };
        Some((parameter, quote!(::graflow::macro_support::value_of!(#ty, #arc))))
    }
}

impl Form {
    /// The type that is stored, behind an `Arc`.
    fn stored(&self) -> TokenStream {
        match self {
            Self::Reference(ty) | Self::Shared(ty) | Self::Owned(ty) => quote!(#ty),
            Self::Slice(ty) => quote!(::std::vec::Vec<#ty>),
            Self::Text => quote!(::std::string::String),
        }
    }
}

fn setter_ident(name: &str, ident: &Ident) -> Ident {
    match syn::parse_str::<Ident>(name) {
        Ok(_) => Ident::new(name, ident.span()),
        // A keyword (written `r#type`) or digits after underscores: keep what the user wrote.
        Err(_) => ident.clone(),
    }
}

/// Removes `#[iteration]`; says whether it was there.
fn take_iteration(attributes: &mut Vec<Attribute>, errors: &mut Errors) -> bool {
    let before = attributes.len();
    attributes.retain(|attribute| !attribute.path().is_ident("iteration"));
    let found = before - attributes.len();
    for other in attributes.iter() {
        if !["cfg", "allow", "expect", "warn"].iter().any(|known| other.path().is_ident(known)) {
            errors.at(other, "a task's parameter knows only the attribute `#[iteration]`");
        }
    }
    found > 0
}

fn iteration_kind(argument: &PatType, errors: &mut Errors) -> Option<Kind> {
    let inner = generic(&argument.ty, "Option");
    if inner.is_none() {
        errors.at(
            &argument.ty,
            "an `#[iteration]` parameter is an `Option<T>`: there is no value in the first pass",
        );
    }
    inner.map(Kind::Iteration)
}

fn kind(ty: &Type, errors: &mut Errors) -> Option<Kind> {
    if let Some(inner) = generic(ty, "Res") {
        return Some(Kind::Resource(inner));
    }
    if let Some(inner) = generic(ty, "Members") {
        return Some(Kind::Members(inner));
    }
    if let Some(inner) = generic(ty, "Option") {
        return form(&inner, errors).map(|form| Kind::Value { form, optional: true });
    }
    if let Type::Reference(reference) = ty {
        if reference.mutability.is_none()
            && last_segment(&reference.elem).is_some_and(|name| name == "TaskContext")
        {
            return Some(Kind::Context);
        }
        for wrapper in ["Res", "Members"] {
            if generic(&reference.elem, wrapper).is_some() {
                errors.at(ty, format!("take `{wrapper}<T>` by value: it is cheap to hand over"));
                return None;
            }
        }
    }
    if last_segment(ty).is_some_and(|name| name == "TaskContext") {
        errors.at(ty, "take the context by reference: `&TaskContext`");
        return None;
    }
    form(ty, errors).map(|form| Kind::Value { form, optional: false })
}

fn form(ty: &Type, errors: &mut Errors) -> Option<Form> {
    match ty {
        Type::Reference(reference) => {
            if reference.mutability.is_some() {
                errors.at(
                    ty,
                    "a result is shared by all who read it; take `&T`, or `T` for a clone of your own",
                );
                return None;
            }
            Some(match &*reference.elem {
                Type::Slice(slice) => Form::Slice((*slice.elem).clone()),
                elem if last_segment(elem).is_some_and(|name| name == "str") => Form::Text,
                elem => Form::Reference(elem.clone()),
            })
        }
        Type::ImplTrait(_) => {
            errors.at(ty, "a task's parameter has one type, by which its value is found; write it out");
            None
        }
        ty => Some(match generic(ty, "Arc").filter(|inner| !is_unsized(inner)) {
            Some(inner) => Form::Shared(inner),
            None => Form::Owned(ty.clone()),
        }),
    }
}

/// A type as a person would write it.
pub(crate) fn written(ty: &Type) -> String {
    let mut text = quote!(#ty).to_string();
    for (spaced, tight) in
        [(" :: ", "::"), (" < ", "<"), (" >", ">"), ("& ", "&"), (" ,", ","), ("> <", "><")]
    {
        text = text.replace(spaced, tight);
    }
    text
}

/// An `Arc` of one of these cannot share what is stored; it is stored itself.
fn is_unsized(ty: &Type) -> bool {
    matches!(ty, Type::Slice(_) | Type::TraitObject(_)) || last_segment(ty).is_some_and(|name| name == "str")
}

/// The `T` of `Wrapper<T>`, whatever path leads to the wrapper.
fn generic(ty: &Type, wrapper: &str) -> Option<Type> {
    let Type::Path(path) = ty else { return None };
    let segment = path.path.segments.last()?;
    if segment.ident != wrapper {
        return None;
    }
    let PathArguments::AngleBracketed(arguments) = &segment.arguments else { return None };
    arguments.args.iter().find_map(|argument| match argument {
        GenericArgument::Type(ty) => Some(ty.clone()),
        _ => None,
    })
}

fn last_segment(ty: &Type) -> Option<&Ident> {
    match ty {
        Type::Path(path) => path.path.segments.last().map(|segment| &segment.ident),
        _ => None,
    }
}

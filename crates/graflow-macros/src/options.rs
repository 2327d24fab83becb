//! What stands in the brackets of `#[task(…)]`.

use std::time::Duration;

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::parse::{Parse, ParseStream, Parser};
use syn::punctuated::Punctuated;
use syn::{Expr, Ident, LitBool, LitStr, Token, parenthesized, token};

use crate::duration::{parse_backoff, parse_duration};
use crate::errors::Errors;

const KNOWN: &str =
    "name, id, inject_context, track_lineage, max_retries, backoff, retry_if, max_cycles, timeout, writes";

/// The options of a task, each as the tokens it becomes.
#[derive(Default)]
pub(crate) struct Options {
    pub(crate) name: Option<LitStr>,
    pub(crate) inject_context: Option<LitBool>,
    pub(crate) track_lineage: Option<LitBool>,
    pub(crate) max_retries: Option<Expr>,
    pub(crate) backoff: Option<TokenStream>,
    pub(crate) retry_if: Option<Expr>,
    pub(crate) max_cycles: Option<Expr>,
    pub(crate) timeout: Option<TokenStream>,
    pub(crate) writes: Vec<Expr>,
}

/// `"name"`, `key = value` or `key(values)`.
enum Item {
    Name(LitStr),
    Value(Ident, Expr),
    List(Ident, Vec<Expr>),
    /// A key without a value, which no option is.
    Bare(Ident),
}

impl Parse for Item {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        if input.peek(LitStr) {
            return Ok(Self::Name(input.parse()?));
        }
        let key: Ident = input.parse()?;
        if input.peek(token::Paren) {
            let content;
            parenthesized!(content in input);
            let values = Punctuated::<Expr, Token![,]>::parse_terminated(&content)?;
            return Ok(Self::List(key, values.into_iter().collect()));
        }
        if !input.peek(Token![=]) {
            return Ok(Self::Bare(key));
        }
        input.parse::<Token![=]>()?;
        Ok(Self::Value(key, input.parse()?))
    }
}

impl Options {
    pub(crate) fn parse(attribute: TokenStream, errors: &mut Errors) -> Self {
        let mut options = Self::default();
        let items = match Punctuated::<Item, Token![,]>::parse_terminated.parse2(attribute) {
            Ok(items) => items,
            Err(error) => {
                errors.add(error);
                return options;
            }
        };
        let mut seen: Vec<String> = Vec::new();
        for item in items {
            let key = match &item {
                Item::Name(_) => "name".to_owned(),
                Item::Value(key, _) | Item::List(key, _) | Item::Bare(key) if key == "id" => {
                    "name".to_owned()
                }
                Item::Value(key, _) | Item::List(key, _) | Item::Bare(key) => key.to_string(),
            };
            if seen.contains(&key) {
                let message = format!("`{key}` is given twice");
                match &item {
                    Item::Name(name) => errors.at(name, message),
                    Item::Value(key, _) | Item::List(key, _) | Item::Bare(key) => errors.at(key, message),
                }
                continue;
            }
            seen.push(key);
            options.take(item, errors);
        }
        if let (Some(backoff), None) = (&options.backoff, &options.max_retries) {
            errors.at(
                backoff,
                "`backoff` without `max_retries`: nothing would be tried again; add `max_retries = …`",
            );
        }
        if let (Some(retry_if), None) = (&options.retry_if, &options.max_retries) {
            errors.at(
                retry_if,
                "`retry_if` without `max_retries`: nothing would be tried again; add `max_retries = …`",
            );
        }
        options
    }

    fn take(&mut self, item: Item, errors: &mut Errors) {
        match item {
            Item::Name(name) => self.set_name(name, errors),
            Item::List(key, values) if key == "writes" => self.writes = values,
            Item::List(key, _) => {
                errors.at(&key, format!("`{key}` takes one value; write `{key} = …`"));
            }
            Item::Bare(key) => errors.at(&key, format!("`{key}` needs a value; write `{key} = …`")),
            Item::Value(key, value) => self.take_value(&key, value, errors),
        }
    }

    fn take_value(&mut self, key: &Ident, value: Expr, errors: &mut Errors) {
        match key.to_string().as_str() {
            "name" | "id" => {
                if let Some(name) = literal(&value, errors, "a task's name is a string literal") {
                    self.set_name(name, errors);
                }
            }
            "inject_context" => {
                self.inject_context = literal(&value, errors, "`inject_context` is true or false");
            }
            "track_lineage" => {
                self.track_lineage = literal(&value, errors, "`track_lineage` is true or false");
            }
            "max_retries" => self.max_retries = Some(value),
            "max_cycles" => self.max_cycles = Some(value),
            "retry_if" => self.retry_if = Some(value),
            "timeout" => self.timeout = timeout(&value, errors),
            "backoff" => self.backoff = backoff(&value, errors),
            "writes" => self.writes = vec![value],
            unknown => errors.at(key, format!("`{unknown}` is no option of a task; there are: {KNOWN}")),
        }
    }

    fn set_name(&mut self, name: LitStr, errors: &mut Errors) {
        if name.value().trim().is_empty() {
            errors.at(&name, "a task's name cannot be empty");
        }
        self.name = Some(name);
    }
}

/// The literal that `value` is, or a mistake in these words.
fn literal<T: Parse>(value: &Expr, errors: &mut Errors, otherwise: &str) -> Option<T> {
    let parsed = syn::parse2(quote!(#value)).ok();
    if parsed.is_none() {
        errors.at(value, otherwise);
    }
    parsed
}

fn string(value: &Expr) -> Option<LitStr> {
    syn::parse2(quote!(#value)).ok()
}

fn timeout(value: &Expr, errors: &mut Errors) -> Option<TokenStream> {
    let Some(text) = string(value) else { return Some(quote!(#value)) };
    match parse_duration(&text.value()) {
        Ok(Duration::ZERO) => {
            errors.at(text, "a `timeout` of no time fails every attempt; leave it out for none");
            None
        }
        Ok(duration) => Some(duration_tokens(duration)),
        Err(message) => {
            errors.at(text, message);
            None
        }
    }
}

fn backoff(value: &Expr, errors: &mut Errors) -> Option<TokenStream> {
    let Some(text) = string(value) else {
        errors.at(value, "`backoff` is a string, such as \"200ms..5s\"");
        return None;
    };
    match parse_backoff(&text.value()) {
        Ok((first, last)) => {
            let (first, last) = (duration_tokens(first), duration_tokens(last));
            Some(quote_spanned!(text.span()=> .backoff(#first, #last)))
        }
        Err(message) => {
            errors.at(text, message);
            None
        }
    }
}

fn duration_tokens(duration: Duration) -> TokenStream {
    let (seconds, nanos) = (duration.as_secs(), duration.subsec_nanos());
    quote!(::core::time::Duration::new(#seconds, #nanos))
}

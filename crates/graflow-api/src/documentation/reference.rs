use std::fmt::Write as _;

use serde_json::{Map, Value};
use utoipa::openapi::OpenApi;

use super::html::{escape, page, prose};

const METHODS: [&str; 4] = ["get", "post", "put", "delete"];

/// Every path with its parameters and answers, and every shape.
pub(crate) fn reference_page(openapi: &OpenApi) -> String {
    // The document's own JSON is the contract; what is read from it here cannot differ from it.
    let document = serde_json::to_value(openapi).unwrap_or_default();
    let mut body = String::new();
    let description = text(&document["info"]["description"]);
    let _ = write!(
        body,
        "<main><h1>Graflow Lineage: REST and WebSocket</h1><p>{}</p><p class=\"soft\">Version {}. \
         <a href=\"openapi.json\">openapi.json</a></p>",
        prose(description),
        escape(text(&document["info"]["version"]))
    );
    let tags = document["tags"].as_array().cloned().unwrap_or_default();
    let operations = operations(&document);
    for tag in &tags {
        let name = text(&tag["name"]);
        let of_tag: Vec<_> = operations.iter().filter(|operation| operation.has_tag(name)).collect();
        let _ =
            write!(body, "<h2 id=\"{0}\">{0}</h2><p>{1}</p>", escape(name), prose(text(&tag["description"])));
        for operation in of_tag {
            operation.write(&mut body);
        }
    }
    body.push_str("<h2 id=\"shapes\">Shapes</h2>");
    if let Some(schemas) = document["components"]["schemas"].as_object() {
        for (name, schema) in schemas {
            write_schema(&mut body, name, schema);
        }
    }
    body.push_str("</main>");
    page("Graflow Lineage: REST and WebSocket", &body)
}

struct Operation<'a> {
    path: &'a str,
    method: &'a str,
    value: &'a Value,
}

fn operations(document: &Value) -> Vec<Operation<'_>> {
    let mut operations = Vec::new();
    for (path, item) in document["paths"].as_object().into_iter().flatten() {
        for method in METHODS {
            if let Some(value) = item.get(method) {
                operations.push(Operation { path, method, value });
            }
        }
    }
    operations
}

impl Operation<'_> {
    fn has_tag(&self, name: &str) -> bool {
        self.value["tags"].as_array().is_some_and(|tags| tags.iter().any(|tag| tag == name))
    }

    fn write(&self, body: &mut String) {
        let _ = write!(
            body,
            "<h3 id=\"{0}\"><span class=\"method {1}\">{2}</span> <code>{3}</code></h3><p>{4}</p>",
            escape(text(&self.value["operationId"])),
            self.method,
            self.method.to_uppercase(),
            escape(self.path),
            prose(text(&self.value["summary"]))
        );
        if let Some(more) = self.value["description"].as_str() {
            let _ = write!(body, "<p class=\"soft\">{}</p>", prose(more));
        }
        let parameters = self.value["parameters"].as_array().map(Vec::as_slice).unwrap_or_default();
        if !parameters.is_empty() {
            body.push_str("<table><tr><th>parameter</th><th>in</th><th>type</th><th></th></tr>");
            for parameter in parameters {
                let required = if parameter["required"] == true { ", required" } else { "" };
                let _ = write!(
                    body,
                    "<tr><td><code>{}</code></td><td>{}{required}</td><td>{}</td><td>{}</td></tr>",
                    escape(text(&parameter["name"])),
                    escape(text(&parameter["in"])),
                    type_name(&parameter["schema"]),
                    prose(text(&parameter["description"]))
                );
            }
            body.push_str("</table>");
        }
        if let Some(content) = self.value["requestBody"]["content"].as_object() {
            let types: Vec<_> = content
                .iter()
                .map(|(media, content)| {
                    format!("<code>{}</code> {}", escape(media), type_name(&content["schema"]))
                })
                .collect();
            let description = prose(text(&self.value["requestBody"]["description"]));
            let _ = write!(body, "<p>Body: {}. {description}</p>", types.join(", or "));
        }
        body.push_str("<table><tr><th>answer</th><th>body</th><th></th></tr>");
        let empty = Map::new();
        for (status, response) in self.value["responses"].as_object().unwrap_or(&empty) {
            let content = response["content"].as_object().unwrap_or(&empty);
            let shape =
                content.values().next().map_or_else(String::new, |content| type_name(&content["schema"]));
            let _ = write!(
                body,
                "<tr><td>{}</td><td>{shape}</td><td>{}</td></tr>",
                escape(status),
                prose(text(&response["description"]))
            );
        }
        body.push_str("</table>");
    }
}

fn write_schema(body: &mut String, name: &str, schema: &Value) {
    let _ = write!(
        body,
        "<h3 id=\"shape-{0}\"><code>{0}</code></h3><p>{1}</p>",
        escape(name),
        prose(text(&schema["description"]))
    );
    let variants = schema["oneOf"].as_array().map(Vec::as_slice).unwrap_or_default();
    for shape in std::iter::once(schema).chain(variants) {
        let Some(fields) = shape["properties"].as_object() else { continue };
        let required = shape["required"].as_array().cloned().unwrap_or_default();
        body.push_str("<table>");
        for (field, of_field) in fields {
            let may_lack = if required.iter().any(|name| name == field) { "" } else { "?" };
            let _ = write!(
                body,
                "<tr><td><code>{}{may_lack}</code></td><td>{}</td><td>{}</td></tr>",
                escape(field),
                type_name(of_field),
                prose(text(&of_field["description"]))
            );
        }
        body.push_str("</table>");
    }
    if schema["properties"].is_null() && variants.is_empty() {
        let _ = write!(body, "<p>{}</p>", type_name(schema));
    }
}

/// A schema in a few words, with a link where it is a shape of its own.
fn type_name(schema: &Value) -> String {
    if let Some(reference) = schema["$ref"].as_str() {
        let name = escape(reference.rsplit('/').next().unwrap_or(reference));
        return format!("<a href=\"#shape-{name}\">{name}</a>");
    }
    if let Some(words) = schema["enum"].as_array() {
        let words: Vec<_> = words.iter().map(|word| format!("<code>{}</code>", escape(text(word)))).collect();
        return words.join(", ");
    }
    for (list, between) in [("oneOf", " or "), ("anyOf", " or "), ("allOf", " and ")] {
        if let Some(all) = schema[list].as_array() {
            let names: Vec<_> = all.iter().map(type_name).collect();
            return names.join(between);
        }
    }
    let words: Vec<&str> = match &schema["type"] {
        Value::String(word) => vec![word],
        Value::Array(words) => words.iter().map(text).collect(),
        _ => vec!["anything"],
    };
    let names = words.into_iter().map(|word| match word {
        "array" => format!("list of {}", type_name(&schema["items"])),
        "object" if schema["additionalProperties"].is_object() => {
            format!("map to {}", type_name(&schema["additionalProperties"]))
        }
        "string" => match schema["format"].as_str() {
            Some("date-time") => "time".to_owned(),
            _ => "text".to_owned(),
        },
        word => escape(word),
    });
    names.collect::<Vec<_>>().join(" or ")
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

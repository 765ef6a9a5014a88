//! How texts and values per label are described in the API's document (JSON Schema); other types derive it.
//!
//! Lengths that are counted in bytes cannot be said there: they are upper bounds in characters, and the description has
//! the rest.

use std::borrow::Cow;

use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        Object, ObjectBuilder, RefOr,
        schema::{
            AdditionalProperties, AnyOfBuilder, OneOfBuilder, Ref, Schema, SchemaFormat, Type,
        },
    },
};

use super::{Label, PolicyThresholds, Score, Scores};

/// A text of several lines: something to see, and no control characters but newline and tab.
pub(super) fn lines(max: usize) -> Object {
    matching(
        1,
        max,
        r"^(\r\n|[^\x00-\x08\x0b-\x1f\x7f-\x9f])*[^\s\x00-\x1f\x7f-\x9f](\r\n|[^\x00-\x08\x0b-\x1f\x7f-\x9f])*$",
    )
}

/// A text on one line: something to see, and no control characters.
pub(super) fn line(max: usize) -> Object {
    matching(
        1,
        max,
        r"^[^\x00-\x1f\x7f-\x9f]*[^\s\x00-\x1f\x7f-\x9f][^\x00-\x1f\x7f-\x9f]*$",
    )
}

/// A text of that shape.
pub(super) fn matching(min: usize, max: usize, pattern: &str) -> Object {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .min_length(Some(min))
        .max_length(Some(max))
        .pattern(Some(pattern))
        .build()
}

/// A network address or null.
#[must_use]
pub fn nullable_ip() -> RefOr<Schema> {
    let address = |format: &str| {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .format(Some(SchemaFormat::Custom(format.into())))
    };
    AnyOfBuilder::new()
        .item(address("ipv4"))
        .item(address("ipv6"))
        .item(ObjectBuilder::new().schema_type(Type::Null))
        .description(Some("An IPv4 or IPv6 address."))
        .into()
}

/// An object with a field for each label.
fn per_label(value: impl Into<RefOr<Schema>>, required: bool, description: &str) -> RefOr<Schema> {
    let value = value.into();
    let mut object = ObjectBuilder::new()
        .description(Some(description))
        .additional_properties(Some(AdditionalProperties::FreeForm(false)));
    for label in Label::ALL {
        object = object.property(label.as_str(), value.clone());
        if required {
            object = object.required(label.as_str());
        }
    }
    object.into()
}

impl PartialSchema for Scores {
    fn schema() -> RefOr<Schema> {
        let score = Ref::from_schema_name(Score::name());
        per_label(score, true, "The six probabilities of a text.")
    }
}

impl ToSchema for Scores {
    fn name() -> Cow<'static, str> {
        Cow::Borrowed("Scores")
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        schemas.push((Score::name().into(), Score::schema()));
    }
}

impl PartialSchema for PolicyThresholds {
    fn schema() -> RefOr<Schema> {
        let score = OneOfBuilder::new()
            .item(Ref::from_schema_name(Score::name()))
            .item(ObjectBuilder::new().schema_type(Type::Null));
        per_label(
            Schema::from(score),
            false,
            "Scores from which a policy acts, for the labels that it names.",
        )
    }
}

impl ToSchema for PolicyThresholds {
    fn name() -> Cow<'static, str> {
        Cow::Borrowed("PolicyThresholds")
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        schemas.push((Score::name().into(), Score::schema()));
    }
}

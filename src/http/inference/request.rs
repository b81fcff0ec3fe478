//! What a client asks for: a JSON object, and behind it the tensors that are sent in binary form.

use std::borrow::Cow;
use std::fmt;

use actix_web::HttpRequest;
use actix_web::http::header::HeaderName;
use serde::Deserialize;
use serde::de::{Deserializer, Error as _, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::reply::Signature;
use super::tensor;
use crate::http::error::ApiError;

/// Says how many bytes of the body are JSON.
pub(super) const JSON_LENGTH: HeaderName = HeaderName::from_static("inference-header-content-length");

/// A request for the one output that a model has from the one input that it takes.
#[derive(Debug)]
pub(super) struct InferRequest<'a> {
    /// Echoed.
    pub(super) id: Option<String>,
    /// Shape of the input: `[n]` or `[n,1]`.
    pub(super) shape: Vec<u64>,
    /// Whether the output is to be sent in binary form.
    pub(super) binary_output: bool,
    input: &'static str,
    data: Elements<'a>,
}

#[derive(Debug)]
enum Elements<'a> {
    Text(Vec<Cow<'a, str>>),
    Binary(Vec<&'a [u8]>),
}

/// What may be left out may also be `null`, here and below.
#[derive(Deserialize)]
struct Body<'a> {
    id: Option<String>,
    parameters: Option<RequestParameters>,
    #[serde(borrow)]
    inputs: Vec<Input<'a>>,
    outputs: Option<Vec<Output>>,
}

#[derive(Deserialize)]
struct RequestParameters {
    binary_data_output: Option<bool>,
}

#[derive(Deserialize)]
struct Input<'a> {
    name: String,
    shape: Vec<u64>,
    datatype: String,
    parameters: Option<InputParameters>,
    #[serde(borrow)]
    data: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct InputParameters {
    binary_data_size: Option<usize>,
}

#[derive(Deserialize)]
struct Output {
    name: String,
    parameters: Option<OutputParameters>,
}

#[derive(Deserialize)]
struct OutputParameters {
    binary_data: Option<bool>,
    classification: Option<u64>,
}

/// An element of JSON data, or a row of a `[n,1]` tensor.
#[derive(Deserialize)]
#[serde(untagged)]
enum Element<'a> {
    #[serde(borrow)]
    Text(Cow<'a, str>),
    Row([Cow<'a, str>; 1]),
}

fn malformed(reason: impl Into<String>) -> ApiError {
    ApiError::Malformed(reason.into())
}

impl<'a> InferRequest<'a> {
    /// Reads a request for the model with this signature.
    ///
    /// # Errors
    /// 400, and what is wrong; 422 for more than `max_elements` elements, none of which has been looked at then.
    pub(super) fn parse(
        request: &HttpRequest,
        body: &'a [u8],
        signature: &Signature,
        max_elements: usize,
    ) -> Result<Self, ApiError> {
        let json_length =
            match request.headers().get(JSON_LENGTH) {
                Some(value) => Some(value.to_str().ok().and_then(|value| value.parse().ok()).ok_or_else(|| {
                    malformed("The header Inference-Header-Content-Length must be a number of bytes.")
                })?),
                None => None,
            };
        Self::parse_body(body, json_length, signature, max_elements)
    }

    fn parse_body(
        body: &'a [u8],
        json_length: Option<usize>,
        signature: &Signature,
        max_elements: usize,
    ) -> Result<Self, ApiError> {
        if body.is_empty() {
            return Err(malformed("The body is empty."));
        }
        let (json, binary) = body
            .split_at_checked(json_length.unwrap_or(body.len()))
            .ok_or_else(|| malformed("The body is shorter than Inference-Header-Content-Length says."))?;
        let body: Body<'a> =
            serde_json::from_slice(json).map_err(|e| malformed(format!("The request cannot be read as JSON: {e}.")))?;
        let Ok([input]) = <[Input<'a>; 1]>::try_from(body.inputs) else {
            return Err(malformed(format!("The model {} takes one input, {:?}.", signature.model, signature.input)));
        };
        if input.name != signature.input {
            return Err(malformed(format!(
                "The model {} takes the input {:?}, not {:?}.",
                signature.model, signature.input, input.name
            )));
        }
        if input.datatype != "BYTES" {
            return Err(malformed(format!("The input {:?} must be of datatype BYTES.", signature.input)));
        }
        let output = match body.outputs.as_deref() {
            None | Some([]) => None,
            Some([output]) if output.name == signature.output => output.parameters.as_ref(),
            _ => {
                return Err(malformed(format!(
                    "The model {} has one output, {:?}.",
                    signature.model, signature.output
                )));
            }
        };
        if output.is_some_and(|output| output.classification.is_some()) {
            return Err(malformed("The parameter classification is not supported."));
        }
        let (&[n] | &[n, 1]) = input.shape.as_slice() else {
            return Err(malformed(format!("The shape of {:?} must be [n] or [n,1].", signature.input)));
        };
        let count = usize::try_from(n).ok().filter(|count| *count <= max_elements).ok_or_else(|| {
            let detail = format!("has {n} elements, the limit is {max_elements}");
            ApiError::Invalid { pointer: "/inputs/0", detail }
        })?;
        let data = match (input.data, input.parameters.and_then(|parameters| parameters.binary_data_size)) {
            (Some(data), None) if binary.is_empty() => Elements::Text(texts(data, count)?),
            (None, Some(size)) if size == binary.len() => Elements::Binary(
                tensor::split(binary, count)
                    .ok_or_else(|| malformed(format!("The binary data are no tensor of {count} elements of BYTES.")))?,
            ),
            (None, Some(size)) => {
                return Err(malformed(format!(
                    "binary_data_size is {size}, but {} bytes follow the JSON.",
                    binary.len()
                )));
            }
            _ => {
                return Err(malformed(
                    "An input has either data, or binary_data_size and as many bytes after the JSON.",
                ));
            }
        };
        let binary_output = output
            .and_then(|output| output.binary_data)
            .or(body.parameters.and_then(|parameters| parameters.binary_data_output))
            .unwrap_or(false);
        Ok(Self { id: body.id, shape: input.shape, binary_output, input: signature.input, data })
    }

    /// The elements as texts.
    ///
    /// # Errors
    /// 422 for what is no UTF-8.
    pub(super) fn texts(&self) -> Result<Vec<Cow<'_, str>>, ApiError> {
        match &self.data {
            Elements::Text(texts) => Ok(texts.iter().map(|text| Cow::Borrowed(&**text)).collect()),
            Elements::Binary(elements) => elements
                .iter()
                .enumerate()
                .map(|(at, element)| {
                    let not_text = |_| ApiError::Entry { at, detail: "is not UTF-8".to_owned() };
                    std::str::from_utf8(element).map(Cow::Borrowed).map_err(not_text)
                })
                .collect(),
        }
    }

    /// The elements as bytes.
    ///
    /// # Errors
    /// 400 where they were not sent in binary form.
    pub(super) fn bytes(&self) -> Result<&[&'a [u8]], ApiError> {
        match &self.data {
            Elements::Binary(elements) => Ok(elements),
            Elements::Text(_) => {
                Err(malformed(format!("Send {:?} as binary data: JSON cannot hold the bytes of a file.", self.input)))
            }
        }
    }
}

/// The `count` elements of JSON data: texts, or arrays of one text each.
fn texts<'a>(data: &'a RawValue, count: usize) -> Result<Vec<Cow<'a, str>>, ApiError> {
    let wrong = || malformed(format!("data must be an array of {count} strings, as the shape says."));
    serde_json::Deserializer::from_str(data.get()).deserialize_seq(Texts { count }).map_err(|_| wrong())
}

/// Stops at the first element that is too many: nobody has to hold what was not announced.
struct Texts {
    count: usize,
}

impl<'de> Visitor<'de> for Texts {
    type Value = Vec<Cow<'de, str>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "an array of {} strings", self.count)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let mut texts = Vec::new();
        while let Some(element) = seq.next_element()? {
            if texts.len() == self.count {
                return Err(A::Error::invalid_length(self.count + 1, &self));
            }
            let (Element::Text(text) | Element::Row([text])) = element;
            texts.push(text);
        }
        if texts.len() < self.count { Err(A::Error::invalid_length(texts.len(), &self)) } else { Ok(texts) }
    }
}

#[cfg(test)]
mod tests {
    use super::super::URL;
    use super::*;
    use proptest::prelude::*;

    fn parse(json: &str, binary: &[u8]) -> Result<(Vec<String>, bool), String> {
        let mut body = json.as_bytes().to_vec();
        body.extend_from_slice(binary);
        let length = (!binary.is_empty()).then_some(json.len());
        let asked = InferRequest::parse_body(&body, length, &URL, 3).map_err(|e| e.sentence())?;
        let texts = asked.texts().map_err(|e| e.sentence())?;
        Ok((texts.into_iter().map(Cow::into_owned).collect(), asked.binary_output))
    }

    fn input(rest: &str) -> String {
        format!(r#"{{"inputs":[{{"name":"url","datatype":"BYTES",{rest}}}]}}"#)
    }

    #[test]
    fn json_and_binary_data_are_read() {
        let two = Ok((vec!["a".to_owned(), "b\n".to_owned()], false));
        assert_eq!(parse(&input(r#""shape":[2],"data":["a","b\n"]"#), b""), two);
        assert_eq!(parse(&input(r#""shape":[2,1],"data":[["a"],["b\n"]]"#), b""), two);
        assert_eq!(parse(&input(r#""shape":[2],"data":["a","b\n"],"parameters":null"#), b""), two);
        let binary = b"\x01\0\0\0a\x02\0\0\0b\n";
        assert_eq!(parse(&input(r#""shape":[2],"parameters":{"binary_data_size":11}"#), binary), two);
    }

    #[test]
    fn the_form_of_the_output_is_what_was_asked_for() {
        let one = r#"{"inputs":[{"name":"url","datatype":"BYTES","shape":[1],"data":["a"]}]"#;
        for (rest, binary) in [
            (r#","outputs":[{"name":"result","parameters":{"binary_data":true}}]"#, true),
            (r#","outputs":[{"name":"result"}]"#, false),
            (r#","outputs":[{"name":"result","parameters":null}],"parameters":null,"id":null"#, false),
            (r#","outputs":null,"parameters":{"binary_data_output":true}"#, true),
            (r#","parameters":{"binary_data_output":true}"#, true),
            (
                r#","parameters":{"binary_data_output":true},"outputs":[{"name":"result","parameters":{"binary_data":false}}]"#,
                false,
            ),
        ] {
            assert_eq!(parse(&format!("{one}{rest}}}"), b""), Ok((vec!["a".to_owned()], binary)), "{rest}");
        }
    }

    #[test]
    fn what_is_wrong_is_said() {
        for (json, binary, reason) in [
            ("", &b""[..], "empty"),
            ("{", b"", "cannot be read as JSON"),
            (r#"{"inputs":[]}"#, b"", "takes one input"),
            (r#"{"inputs":[{"name":"x","datatype":"BYTES","shape":[1],"data":["a"]}]}"#, b"", "not \"x\""),
            (r#"{"inputs":[{"name":"url","datatype":"FP32","shape":[1],"data":["a"]}]}"#, b"", "datatype BYTES"),
            (&input(r#""shape":[2],"data":["a"]"#), b"", "array of 2 strings"),
            (&input(r#""shape":[1],"data":["a","b"]"#), b"", "array of 1 strings"),
            (&input(r#""shape":[1,2],"data":["a"]"#), b"", "must be [n] or [n,1]"),
            (&input(r#""shape":[1],"data":[1]"#), b"", "array of 1 strings"),
            (&input(r#""shape":[1]"#), b"", "either data"),
            (&input(r#""shape":[4],"data":["a","a","a","a"]"#), b"", "the limit is 3"),
            (&input(r#""shape":[1],"parameters":{"binary_data_size":4}"#), b"\x01\0\0\0a", "5 bytes follow"),
            (&input(r#""shape":[1],"parameters":{"binary_data_size":5}"#), b"\x02\0\0\0a", "no tensor"),
            (&input(r#""shape":[1],"parameters":{"binary_data_size":5}"#), b"\x01\0\0\0\xff", "not UTF-8"),
        ] {
            let error = parse(json, binary).expect_err(json);
            assert!(error.contains(reason), "{json}: {error}");
        }
    }

    proptest! {
        #[test]
        fn texts_come_back_as_they_were_sent(texts in proptest::collection::vec(any::<String>(), 0..4)) {
            prop_assume!(texts.len() <= 3);
            let json = serde_json::json!({ "inputs": [{ "name": "url", "datatype": "BYTES", "shape": [texts.len()], "data": texts }] });
            prop_assert_eq!(parse(&json.to_string(), b""), Ok((texts.clone(), false)));
            let mut binary = Vec::new();
            texts.iter().for_each(|text| tensor::append(&mut binary, text.as_bytes()));
            let json = input(&format!(r#""shape":[{}],"parameters":{{"binary_data_size":{}}}"#, texts.len(), binary.len()));
            prop_assert_eq!(parse(&json, &binary), Ok((texts, false)));
        }

        #[test]
        fn no_bytes_make_it_panic(body in proptest::collection::vec(any::<u8>(), 0..100), length in proptest::option::of(0..200_usize)) {
            let _ = InferRequest::parse_body(&body, length, &URL, 3);
        }
    }
}

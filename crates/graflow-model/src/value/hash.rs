//! The content hash of a value: BLAKE3, the first 128 bits, over this canonical encoding.
//!
//! | value | bytes |
//! |---|---|
//! | null (`None`, unit) | `n` |
//! | bool | `t` or `f` |
//! | integer | `i`, its decimal digits with `-` where negative, `;` |
//! | float | `d`, the 8 bytes of its IEEE 754 bits, big endian; every NaN as `7ff8000000000000`, `-0.0` as `0.0` |
//! | text (and a character) | `s`, its length in bytes as decimal digits, `:`, its UTF-8 |
//! | bytes | `b`, length as above, `:`, the bytes |
//! | list, tuple, set in its own order | `l`, its items, `e` |
//! | map, struct | `m`, its entries ordered by the encoding of their keys, each key then value, `e` |
//! | enum variant | as serde writes it to JSON: text alone, or a map of one entry |
//!
//! A value whose encoding is longer than 64 KiB has no hash, nor has one that refuses to be written.

use std::fmt;

use serde::ser::{
    self, Serialize, SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant, SerializeTuple,
    SerializeTupleStruct, SerializeTupleVariant, Serializer,
};

/// Longest encoding that is hashed, in bytes.
pub const HASHED_BYTES: usize = 64 * 1024;
/// Deepest nesting that is hashed; it bounds the stack that a value can ask for.
const DEEPEST: usize = 128;

/// The hash of a value, shown as `blake3:` and 32 hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ValueHash {
    digest: [u8; 16],
    /// Bytes of the canonical encoding.
    pub size: u64,
}

impl fmt::Display for ValueHash {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("blake3:")?;
        self.digest.iter().try_for_each(|byte| write!(formatter, "{byte:02x}"))
    }
}

/// Why a value has no hash.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HashSkipped {
    /// Its encoding is longer than [`HASHED_BYTES`].
    #[error("hash_skipped:too_large")]
    TooLarge,
    /// It nests too deeply.
    #[error("hash_skipped:too_deep")]
    TooDeep,
    /// It refuses to be written.
    #[error("hash_skipped:not_serializable")]
    NotSerializable,
}

impl ser::Error for HashSkipped {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self::NotSerializable
    }
}

/// The hash of a value.
///
/// # Errors
/// Why it has none.
///
/// ```
/// use graflow_model::value::hash::of;
/// assert_eq!(of(&("a", 1)), of(&serde_json::json!(["a", 1])));
/// assert_ne!(of(&1), of(&1.0));
/// ```
pub fn of<T: Serialize + ?Sized>(value: &T) -> Result<ValueHash, HashSkipped> {
    let mut bytes = Vec::with_capacity(128);
    value.serialize(Encoder { bytes: &mut bytes, depth: 0 })?;
    of_encoding(&bytes)
}

/// The hash of a value whose canonical encoding was made elsewhere, from what Rust has no type for.
///
/// # Errors
/// When the encoding is longer than [`HASHED_BYTES`].
///
/// ```
/// use graflow_model::value::hash::{of, of_encoding};
/// assert_eq!(of_encoding(b"li1;s1:ae"), of(&(1, "a")));
/// ```
pub fn of_encoding(encoding: &[u8]) -> Result<ValueHash, HashSkipped> {
    if encoding.len() > HASHED_BYTES {
        return Err(HashSkipped::TooLarge);
    }
    Ok(ValueHash { digest: digest(encoding), size: encoding.len() as u64 })
}

/// The hash of a buffer too long to be read as a whole: of its length and blocks of it. It is written
/// `blake3-sampled:` and 32 hexadecimal digits, since what lies between the blocks does not count.
pub fn sampled(length: u64, blocks: &[u8]) -> String {
    let mut bytes = format!("b{length}:").into_bytes();
    bytes.extend_from_slice(blocks);
    let hash = ValueHash { digest: digest(&bytes), size: length };
    hash.to_string().replacen("blake3:", "blake3-sampled:", 1)
}

fn digest(bytes: &[u8]) -> [u8; 16] {
    let mut digest = [0; 16];
    digest.copy_from_slice(&blake3::hash(bytes).as_bytes()[..16]);
    digest
}

struct Encoder<'a> {
    bytes: &'a mut Vec<u8>,
    depth: usize,
}

impl<'a> Encoder<'a> {
    fn put(self, bytes: &[u8]) -> Result<(), HashSkipped> {
        put(self.bytes, bytes)
    }

    fn put_long(self, tag: u8, content: &[u8]) -> Result<(), HashSkipped> {
        put(self.bytes, &[tag])?;
        put(self.bytes, content.len().to_string().as_bytes())?;
        put(self.bytes, b":")?;
        put(self.bytes, content)
    }

    fn list(self) -> Result<List<'a>, HashSkipped> {
        put(self.bytes, b"l")?;
        Ok(List { bytes: self.bytes, depth: deeper(self.depth)?, closes: 1 })
    }

    fn map(self) -> Result<Map<'a>, HashSkipped> {
        put(self.bytes, b"m")?;
        Ok(Map {
            depth: deeper(self.depth)?,
            bytes: self.bytes,
            entries: Vec::new(),
            key: Vec::new(),
            closes: 1,
        })
    }

    /// Opens a map of one entry, for an enum's variant.
    fn variant(&mut self, name: &str) -> Result<(), HashSkipped> {
        put(self.bytes, b"m")?;
        self.depth = deeper(self.depth)?;
        name.serialize(Encoder { bytes: self.bytes, depth: self.depth })
    }
}

fn put(target: &mut Vec<u8>, bytes: &[u8]) -> Result<(), HashSkipped> {
    if target.len() + bytes.len() > HASHED_BYTES {
        return Err(HashSkipped::TooLarge);
    }
    target.extend_from_slice(bytes);
    Ok(())
}

fn deeper(depth: usize) -> Result<usize, HashSkipped> {
    if depth < DEEPEST { Ok(depth + 1) } else { Err(HashSkipped::TooDeep) }
}

macro_rules! integers {
    ($($method:ident: $type:ty),*) => {$(
        fn $method(self, value: $type) -> Result<(), HashSkipped> {
            self.put(format!("i{value};").as_bytes())
        }
    )*};
}

impl<'a> Serializer for Encoder<'a> {
    type Ok = ();
    type Error = HashSkipped;
    type SerializeSeq = List<'a>;
    type SerializeTuple = List<'a>;
    type SerializeTupleStruct = List<'a>;
    type SerializeTupleVariant = List<'a>;
    type SerializeMap = Map<'a>;
    type SerializeStruct = Map<'a>;
    type SerializeStructVariant = Map<'a>;

    integers!(
        serialize_i8: i8,
        serialize_i16: i16,
        serialize_i32: i32,
        serialize_i64: i64,
        serialize_i128: i128,
        serialize_u8: u8,
        serialize_u16: u16,
        serialize_u32: u32,
        serialize_u64: u64,
        serialize_u128: u128
    );

    fn serialize_bool(self, value: bool) -> Result<(), HashSkipped> {
        self.put(if value { b"t" } else { b"f" })
    }

    fn serialize_f32(self, value: f32) -> Result<(), HashSkipped> {
        self.serialize_f64(f64::from(value))
    }

    fn serialize_f64(self, value: f64) -> Result<(), HashSkipped> {
        // Adding zero takes `-0.0` to `0.0`.
        let bits = if value.is_nan() { 0x7ff8_0000_0000_0000 } else { (value + 0.0).to_bits() };
        let mut bytes = [b'd'; 9];
        bytes[1..].copy_from_slice(&bits.to_be_bytes());
        self.put(&bytes)
    }

    fn serialize_char(self, value: char) -> Result<(), HashSkipped> {
        self.serialize_str(value.encode_utf8(&mut [0; 4]))
    }

    fn serialize_str(self, value: &str) -> Result<(), HashSkipped> {
        self.put_long(b's', value.as_bytes())
    }

    fn serialize_bytes(self, value: &[u8]) -> Result<(), HashSkipped> {
        self.put_long(b'b', value)
    }

    fn serialize_none(self) -> Result<(), HashSkipped> {
        self.put(b"n")
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), HashSkipped> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<(), HashSkipped> {
        self.put(b"n")
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<(), HashSkipped> {
        self.put(b"n")
    }

    fn serialize_unit_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
    ) -> Result<(), HashSkipped> {
        self.serialize_str(variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<(), HashSkipped> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        mut self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<(), HashSkipped> {
        self.variant(variant)?;
        value.serialize(Encoder { bytes: self.bytes, depth: self.depth })?;
        self.put(b"e")
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<List<'a>, HashSkipped> {
        self.list()
    }

    fn serialize_tuple(self, _: usize) -> Result<List<'a>, HashSkipped> {
        self.list()
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<List<'a>, HashSkipped> {
        self.list()
    }

    fn serialize_tuple_variant(
        mut self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<List<'a>, HashSkipped> {
        self.variant(variant)?;
        Ok(List { closes: 2, ..self.list()? })
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Map<'a>, HashSkipped> {
        self.map()
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Map<'a>, HashSkipped> {
        self.map()
    }

    fn serialize_struct_variant(
        mut self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Map<'a>, HashSkipped> {
        self.variant(variant)?;
        Ok(Map { closes: 2, ..self.map()? })
    }
}

/// A list in the making.
struct List<'a> {
    bytes: &'a mut Vec<u8>,
    depth: usize,
    /// How many `e` end it: a variant's list stands in a map.
    closes: usize,
}

impl List<'_> {
    fn item<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), HashSkipped> {
        value.serialize(Encoder { bytes: self.bytes, depth: self.depth })
    }

    fn close(self) -> Result<(), HashSkipped> {
        put(self.bytes, &b"ee"[..self.closes])
    }
}

macro_rules! lists {
    ($($trait:ident::$method:ident),*) => {$(
        impl $trait for List<'_> {
            type Ok = ();
            type Error = HashSkipped;
            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), HashSkipped> {
                self.item(value)
            }
            fn end(self) -> Result<(), HashSkipped> {
                self.close()
            }
        }
    )*};
}

lists!(
    SerializeSeq::serialize_element,
    SerializeTuple::serialize_element,
    SerializeTupleStruct::serialize_field,
    SerializeTupleVariant::serialize_field
);

/// A map in the making: entries are put in order at its end.
struct Map<'a> {
    bytes: &'a mut Vec<u8>,
    depth: usize,
    entries: Vec<(Vec<u8>, Vec<u8>)>,
    key: Vec<u8>,
    closes: usize,
}

impl Map<'_> {
    fn encoded<T: Serialize + ?Sized>(&self, value: &T) -> Result<Vec<u8>, HashSkipped> {
        let mut bytes = Vec::new();
        value.serialize(Encoder { bytes: &mut bytes, depth: self.depth })?;
        Ok(bytes)
    }

    fn entry<T: Serialize + ?Sized>(&mut self, key: &str, value: &T) -> Result<(), HashSkipped> {
        let entry = (self.encoded(key)?, self.encoded(value)?);
        self.entries.push(entry);
        Ok(())
    }

    fn close(mut self) -> Result<(), HashSkipped> {
        self.entries.sort_unstable();
        for (key, value) in &self.entries {
            put(self.bytes, key)?;
            put(self.bytes, value)?;
        }
        put(self.bytes, &b"ee"[..self.closes])
    }
}

impl SerializeMap for Map<'_> {
    type Ok = ();
    type Error = HashSkipped;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), HashSkipped> {
        self.key = self.encoded(key)?;
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), HashSkipped> {
        let entry = (std::mem::take(&mut self.key), self.encoded(value)?);
        self.entries.push(entry);
        Ok(())
    }

    fn end(self) -> Result<(), HashSkipped> {
        self.close()
    }
}

macro_rules! structs {
    ($($trait:ident),*) => {$(
        impl $trait for Map<'_> {
            type Ok = ();
            type Error = HashSkipped;
            fn serialize_field<T: Serialize + ?Sized>(
                &mut self,
                name: &'static str,
                value: &T,
            ) -> Result<(), HashSkipped> {
                self.entry(name, value)
            }
            fn end(self) -> Result<(), HashSkipped> {
                self.close()
            }
        }
    )*};
}

structs!(SerializeStruct, SerializeStructVariant);

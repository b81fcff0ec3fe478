//! Values between the driver's buffers and the stand-in: [`Slot`] is an array that was bound or defined.

use std::mem::transmute;
use std::ptr::null_mut;

use rusqlite::types::Value;

use super::descriptors::Timestamp;
use super::{CONTINUE, Pointer};
use crate::datetime::DateTime;
use crate::error::{OraError, Result};
use crate::number::Decimal;
use crate::types::from_double;

const SQLT_CHR: u16 = 1;
const SQLT_INT: u16 = 3;
const SQLT_VNU: u16 = 6;
const SQLT_BFLOAT: u16 = 21;
const SQLT_BDOUBLE: u16 = 22;
const SQLT_BIN: u16 = 23;
const SQLT_UIN: u16 = 68;
const SQLT_AFC: u16 = 96;
const SQLT_ODT: u16 = 156;
const SQLT_TIMESTAMP: u16 = 187;
const SQLT_TIMESTAMP_TZ: u16 = 188;

/// Hands out the buffer of a value that is sent: context, handle, row, index, buffer, length, piece, indicator.
type InCallback = extern "C" fn(Pointer, Pointer, u32, u32, *mut Pointer, *mut u32, *mut u8, *mut *mut i16) -> i32;
/// Hands out a buffer for the next piece of a value: context, handle, row, buffer, length, piece, indicator, code.
type OutCallback =
    extern "C" fn(Pointer, Pointer, u32, *mut Pointer, *mut *mut u32, *mut u8, *mut *mut i16, *mut *mut u16) -> i32;

/// The value of row `i` is at `value + i * size`, its indicator and its length at the `i`th of theirs.
#[derive(Clone, Copy)]
pub(crate) struct Slot {
    pub(crate) value: *mut u8,
    pub(crate) size: usize,
    pub(crate) kind: u16,
    pub(crate) indicators: *mut i16,
    pub(crate) lengths: *mut u32,
    pub(crate) codes: *mut u16,
    /// Context and function, for values whose size nobody knows before.
    pub(crate) callback: Option<(Pointer, Pointer)>,
}

/// OCIDate as in Oracle's headers.
#[repr(C)]
struct OciDate {
    year: i16,
    fields: [u8; 5],
}

impl Slot {
    /// # Safety
    /// The buffers hold a row with this number, see the module `oci`.
    pub(crate) unsafe fn read(&self, row: usize) -> Result<Value> {
        let mut length = self.size;
        let mut value = self.value.wrapping_add(row * self.size);
        let mut indicator = self.indicators.wrapping_add(row);
        // SAFETY: the caller's promise, here and below
        unsafe {
            if let Some((context, function)) = self.callback {
                let function: InCallback = transmute(function);
                let mut buffer = null_mut();
                let (mut sent, mut piece) = (0, 0);
                function(
                    context,
                    null_mut(),
                    row as u32,
                    0,
                    &raw mut buffer,
                    &raw mut sent,
                    &raw mut piece,
                    &raw mut indicator,
                );
                (value, length) = (buffer.cast(), sent as usize);
            } else if !self.lengths.is_null() {
                length = *self.lengths.add(row) as usize;
            }
            if !indicator.is_null() && *indicator < 0 {
                return Ok(Value::Null);
            }
            Ok(match self.kind {
                SQLT_CHR | SQLT_AFC | SQLT_BIN if length == 0 => Value::Null,
                SQLT_CHR | SQLT_AFC => {
                    let bytes = std::slice::from_raw_parts(value, length);
                    Value::Text(String::from_utf8_lossy(bytes).into_owned())
                }
                SQLT_BIN => Value::Blob(std::slice::from_raw_parts(value, length).to_vec()),
                SQLT_VNU => {
                    let decimal = Decimal::from_vnu(&value.cast::<[u8; 22]>().read());
                    decimal.ok_or_else(|| OraError::new(1722))?.to_value()
                }
                SQLT_BDOUBLE => from_double(value.cast::<f64>().read_unaligned()),
                SQLT_BFLOAT => from_double(value.cast::<f32>().read_unaligned().into()),
                SQLT_INT => Value::Integer(value.cast::<i64>().read_unaligned()),
                SQLT_UIN => {
                    let unsigned = value.cast::<u64>().read_unaligned();
                    let decimal = Decimal::parse(&unsigned.to_string());
                    decimal.unwrap_or_default().to_value()
                }
                SQLT_TIMESTAMP | SQLT_TIMESTAMP_TZ => {
                    let descriptor = value.cast::<*mut Timestamp>().read();
                    Value::Text((*descriptor).moment.to_text())
                }
                SQLT_ODT => {
                    let date = value.cast::<OciDate>().read_unaligned();
                    let [month, day, hour, minute, second] = date.fields;
                    let moment = DateTime { year: date.year, month, day, hour, minute, second, nanos: 0 };
                    Value::Text(moment.to_text())
                }
                _ => return Err(OraError::with(3115, "unsupported network datatype")),
            })
        }
    }

    /// # Safety
    /// The buffers hold a row with this number, see the module `oci`.
    pub(crate) unsafe fn write(&self, row: usize, from: &Value) -> Result<()> {
        let bytes: Vec<u8> = match (self.kind, from) {
            (_, Value::Null) => Vec::new(),
            (SQLT_CHR | SQLT_AFC, value) => to_text(value)?.into_bytes(),
            (SQLT_BIN, Value::Blob(bytes)) => bytes.clone(),
            (SQLT_VNU, value) => to_decimal(value)?.to_vnu().to_vec(),
            (SQLT_BDOUBLE, value) => to_double(value)?.to_ne_bytes().to_vec(),
            (SQLT_BFLOAT, value) => (to_double(value)? as f32).to_ne_bytes().to_vec(),
            (SQLT_INT, value) => {
                let number = to_decimal(value)?.to_text().parse::<i64>();
                number.map_err(|_| OraError::new(1426))?.to_ne_bytes().to_vec()
            }
            (SQLT_UIN, value) => {
                let number = to_decimal(value)?.to_text().parse::<u64>();
                number.map_err(|_| OraError::new(1426))?.to_ne_bytes().to_vec()
            }
            (SQLT_ODT, value) => {
                let moment = to_moment(value)?;
                let mut bytes = moment.year.to_ne_bytes().to_vec();
                bytes.extend([moment.month, moment.day]);
                bytes.extend([moment.hour, moment.minute, moment.second]);
                bytes
            }
            (SQLT_TIMESTAMP | SQLT_TIMESTAMP_TZ, value) => {
                let moment = to_moment(value)?;
                // SAFETY: the caller's promise; the value is a pointer to a descriptor
                unsafe {
                    let place = self.value.add(row * self.size).cast::<*mut Timestamp>();
                    (**place).moment = moment;
                    *self.indicators.add(row) = 0;
                }
                return Ok(());
            }
            _ => return Err(OraError::with(932, "inconsistent datatypes")),
        };
        let is_null = *from == Value::Null;
        // SAFETY: the caller's promise
        unsafe {
            if self.callback.is_some() {
                self.write_pieces(row, &bytes, is_null);
                return Ok(());
            }
            *self.indicators.add(row) = if is_null { -1 } else { 0 };
            let length = bytes.len().min(self.size);
            let place = self.value.add(row * self.size);
            place.copy_from_nonoverlapping(bytes.as_ptr(), length);
            if !self.lengths.is_null() {
                *self.lengths.add(row) = length as u32;
            }
            if !self.codes.is_null() {
                const FETCHED_AND_TRUNCATED: u16 = 1406;
                let cut = length < bytes.len();
                *self.codes.add(row) = if cut { FETCHED_AND_TRUNCATED } else { 0 };
            }
        }
        Ok(())
    }

    /// # Safety
    /// As `write`, with a callback.
    unsafe fn write_pieces(&self, row: usize, mut bytes: &[u8], is_null: bool) {
        let Some((context, function)) = self.callback else {
            return;
        };
        loop {
            // SAFETY: the driver's function of this type, which hands out valid buffers
            unsafe {
                let function: OutCallback = transmute(function);
                let (mut buffer, mut length) = (null_mut(), null_mut());
                let (mut piece, mut indicator, mut code) = (0, null_mut(), null_mut());
                let done = function(
                    context,
                    null_mut(),
                    row as u32,
                    &raw mut buffer,
                    &raw mut length,
                    &raw mut piece,
                    &raw mut indicator,
                    &raw mut code,
                );
                if done != CONTINUE {
                    return;
                }
                *indicator = if is_null { -1 } else { 0 };
                let (now, later) = bytes.split_at(bytes.len().min(*length as usize));
                buffer.cast::<u8>().copy_from_nonoverlapping(now.as_ptr(), now.len());
                *length = now.len() as u32;
                bytes = later;
            }
            if bytes.is_empty() {
                return;
            }
        }
    }
}

fn to_decimal(value: &Value) -> Result<Decimal> {
    Decimal::from_value(value).ok_or_else(|| OraError::new(1722))
}

fn to_double(value: &Value) -> Result<f64> {
    match value {
        Value::Real(real) => Ok(*real),
        Value::Integer(integer) => Ok(*integer as f64),
        Value::Text(text) => text.trim().parse().map_err(|_| OraError::new(1722)),
        Value::Null | Value::Blob(_) => Err(OraError::new(1722)),
    }
}

fn to_text(value: &Value) -> Result<String> {
    match value {
        Value::Text(text) => Ok(text.clone()),
        Value::Blob(bytes) => Ok(bytes.iter().map(|byte| format!("{byte:02X}")).collect()),
        number => Ok(to_decimal(number)?.to_text()),
    }
}

fn to_moment(value: &Value) -> Result<DateTime> {
    let moment = match value {
        Value::Text(text) => DateTime::parse(text),
        _ => None,
    };
    moment.ok_or_else(|| OraError::new(1843))
}

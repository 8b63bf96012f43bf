//! A body source in a transfer encoding: what other sources give, encoded as it is read, so that its size does not matter.

use super::body::{Memory, Piece, Source};
use super::encode::{Base64Lines, QuotedPrintable, Transfer};
use super::layer::{Filter, Layer};
use crate::error::{Code, Error, Result};

/// How much of an octet string in memory is encoded at a time.
pub(super) const PORTION: usize = 128 * 1024;

type Sources = Vec<Box<dyn Source>>;

enum Encoder {
    Quoted(QuotedPrintable),
    Base64(Base64Lines),
    Layer(Box<dyn Filter>),
}

impl Encoder {
    fn push(&mut self, input: &[u8], out: &mut Vec<u8>) -> Result<()> {
        match self {
            Encoder::Quoted(quoted) => quoted.push(input, out),
            Encoder::Base64(base64) => base64.push(input, out),
            Encoder::Layer(filter) => filter.update(input, out)?,
        }
        Ok(())
    }

    fn finish(&mut self, out: &mut Vec<u8>) -> Result<()> {
        match self {
            Encoder::Quoted(quoted) => quoted.finish(out),
            Encoder::Base64(base64) => base64.finish(out),
            Encoder::Layer(filter) => filter.finish(out)?,
        }
        Ok(())
    }
}

/// Pieces one after another, encoded as one text.
pub struct TransferSource {
    sources: Sources,
    at: usize,
    encoder: Encoder,
    total: Option<u64>,
    /// What is still to come in, where its length was announced.
    due: Option<u64>,
    ended: bool,
    out: Vec<u8>,
}

impl TransferSource {
    pub fn open(transfer: Transfer, pieces: &[Piece]) -> Result<TransferSource> {
        let (sources, plain) = opened(pieces)?;
        let (encoder, total) = match transfer {
            Transfer::QuotedPrintable => (Encoder::Quoted(QuotedPrintable::default()), None),
            Transfer::Base64 => (Encoder::Base64(Base64Lines::default()), plain.map(Base64Lines::length)),
        };
        Ok(TransferSource { sources, at: 0, encoder, total, due: None, ended: false, out: Vec::new() })
    }

    /// A layer announces how much it has before it knows, so content that changes its length meanwhile is an error.
    pub fn layered(layer: &dyn Layer, pieces: &[Piece]) -> Result<TransferSource> {
        let (sources, due) = opened(pieces)?;
        let filter = layer.open(due, true)?;
        let (total, encoder) = (filter.total(), Encoder::Layer(filter));
        Ok(TransferSource { sources, at: 0, encoder, total, due, ended: false, out: Vec::new() })
    }
}

/// What a layer makes of pieces, appended in memory. Nobody was told its length.
pub(super) fn read_through(layer: &dyn Layer, pieces: &[Piece], out: &mut Vec<u8>) -> Result<()> {
    let Some(octets) = pieces.iter().map(Piece::octets).collect::<Option<Vec<&[u8]>>>() else {
        let mut source = TransferSource::layered(layer, pieces)?;
        out.reserve(source.total().map_or(0, reserved));
        while let Some(octets) = source.next()? {
            out.extend_from_slice(octets);
        }
        return Ok(());
    };
    let length = octets.iter().map(|octets| octets.len() as u64).sum();
    let mut filter = layer.open(Some(length), false)?;
    // Where it is not known, what a signature adds is about this much.
    out.reserve(reserved(filter.total().unwrap_or(length + 8 * 1024)));
    filter.whole(&octets, out)?;
    filter.finish(out)
}

/// Room for so many octets.
fn reserved(octets: u64) -> usize {
    usize::try_from(octets).unwrap_or(0)
}

/// The sources of pieces, and what they give in all.
fn opened(pieces: &[Piece]) -> Result<(Sources, Option<u64>)> {
    let open = |piece: &Piece| -> Result<Box<dyn Source>> {
        match piece {
            Piece::Bytes(bytes) => Ok(Box::new(Memory::in_portions(bytes.clone(), PORTION))),
            other => other.open(),
        }
    };
    let sources = pieces.iter().map(open).collect::<Result<Vec<_>>>()?;
    let total = sources.iter().map(|source| source.total()).sum();
    Ok((sources, total))
}

fn changed() -> Error {
    Error::new(Code::Encrypt, "the content changed its length while it was read")
}

impl Source for TransferSource {
    fn next(&mut self) -> Result<Option<&[u8]>> {
        self.out.clear();
        while let Some(source) = self.sources.get_mut(self.at) {
            match source.next()? {
                Some(input) => {
                    if let Some(due) = &mut self.due {
                        *due = due.checked_sub(input.len() as u64).ok_or_else(changed)?;
                    }
                    self.encoder.push(input, &mut self.out)?;
                }
                None => self.at += 1,
            }
            if !self.out.is_empty() {
                return Ok(Some(&self.out));
            }
        }
        if !std::mem::replace(&mut self.ended, true) {
            if self.due.is_some_and(|due| due != 0) {
                return Err(changed());
            }
            self.encoder.finish(&mut self.out)?;
        }
        Ok((!self.out.is_empty()).then_some(&self.out))
    }

    fn total(&self) -> Option<u64> {
        self.total
    }

    fn finish(&mut self) {
        self.sources.iter_mut().for_each(|source| source.finish());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::Engine;

    fn all(piece: &Piece) -> Vec<u8> {
        let mut source = piece.open().unwrap();
        let mut out = Vec::new();
        while let Some(bytes) = source.next().unwrap() {
            assert!(!bytes.is_empty() && bytes.len() < 2 * PORTION);
            out.extend_from_slice(bytes);
        }
        assert!(source.next().unwrap().is_none());
        out
    }

    #[test]
    fn a_large_octet_string_is_encoded_a_portion_at_a_time() {
        let bytes: Vec<u8> = (0..5 * PORTION + 7).map(|n| (n * 31) as u8).collect();
        let piece = Piece::Transfer(Transfer::Base64, vec![Piece::Bytes(bytes.clone().into())]);
        let text = all(&piece);
        assert_eq!(piece.size(), Some(text.len() as u64));
        assert_eq!(piece.open().unwrap().total(), Some(text.len() as u64));
        let joined: Vec<u8> = text.into_iter().filter(|b| !b"\r\n".contains(b)).collect();
        assert_eq!(base64::engine::general_purpose::STANDARD.decode(joined).unwrap(), bytes);
    }

    #[test]
    fn pieces_are_encoded_as_one_text() {
        let pieces = vec![
            Piece::Bytes(Vec::new().into()),
            Piece::Bytes(b"a \r".as_slice().into()),
            Piece::Encoded(b"\nb=".as_slice().into()),
        ];
        let piece = Piece::Transfer(Transfer::QuotedPrintable, pieces);
        assert_eq!((all(&piece), piece.size()), (b"a=20\r\nb=3D".to_vec(), None));
        assert!(all(&Piece::Transfer(Transfer::Base64, Vec::new())).is_empty());
    }
}

//! From the bytes of a blob to the bytes of a tar: verified, unpacked and bounded, as one reader.
//!
//! The form is known by its first bytes, not by the media type, which old builders got wrong. Bounds are kept while
//! reading, so a bomb ends when it has grown and not when it is in memory.

use std::io::{self, BufRead, BufReader, Read};

use flate2::bufread::MultiGzDecoder;
use jiuzhou_engine::terms::{Digest, DigestAlgorithm, Hasher};
use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};

use crate::error::InspectError;
use crate::limits::Limits;

/// A reader that digests what passes, counts it, and refuses to end with another digest or size than promised.
pub(crate) struct Verified<R> {
    inner: R,
    hasher: Option<Hasher>,
    wanted: String,
    what: String,
    size: Option<u64>,
    read: u64,
}

impl<R: Read> Verified<R> {
    /// `digest` is what the blob is named by; a size that was promised bounds it.
    pub(crate) fn new(inner: R, digest: &str, size: Option<u64>) -> Self {
        let algorithm = if digest.starts_with("sm3:") { DigestAlgorithm::Sm3 } else { DigestAlgorithm::Sha256 };
        let hasher = Digest::parse(digest).map(|_| Hasher::new(algorithm));
        Self { inner, hasher, wanted: digest.to_owned(), what: digest.to_owned(), size, read: 0 }
    }
}

impl<R: Read> Read for Verified<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.read = self.read.saturating_add(count as u64);
        if let Some(size) = self.size
            && self.read > size
        {
            return Err(InspectError::Digest(self.what.clone()).into());
        }
        if count > 0 {
            if let Some(hasher) = &mut self.hasher {
                hasher.update(&buffer[..count]);
            }
        } else if !buffer.is_empty()
            && let Some(hasher) = self.hasher.take()
            && hasher.finish().to_string() != self.wanted
        {
            return Err(InspectError::Digest(self.what.clone()).into());
        }
        Ok(count)
    }
}

/// How much has been unpacked over all layers of an image.
#[derive(Debug, Default)]
pub(crate) struct Budget {
    pub(crate) unpacked: u64,
}

/// A reader that stops a bomb.
struct Bounded<'a, R> {
    inner: R,
    packed: u64,
    layer: u64,
    budget: &'a mut Budget,
    limits: &'a Limits,
}

impl<R: Read> Read for Bounded<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.layer = self.layer.saturating_add(count as u64);
        self.budget.unpacked = self.budget.unpacked.saturating_add(count as u64);
        if self.budget.unpacked > self.limits.unpacked {
            return Err(InspectError::limit("unpacked bytes", self.limits.unpacked).into());
        }
        let allowed = self.packed.saturating_mul(self.limits.ratio).max(self.limits.ratio_from);
        if self.layer > allowed {
            return Err(InspectError::limit("unpacked bytes of a layer, for its packed size", allowed).into());
        }
        Ok(count)
    }
}

/// The unpacked bytes of a blob of so many packed bytes.
pub(crate) fn layer<'a>(
    blob: Box<dyn Read + 'a>,
    packed: u64,
    budget: &'a mut Budget,
    limits: &'a Limits,
) -> io::Result<Box<dyn Read + 'a>> {
    let inner = unpacked(blob)?;
    Ok(Box::new(Bounded { inner, packed, layer: 0, budget, limits }))
}

/// What the first bytes say of the form of a stream.
pub(crate) fn is_packed(head: &[u8]) -> bool {
    head.starts_with(&[0x1f, 0x8b]) || is_zstd(head)
}

/// A frame, or one of the sixteen kinds of skippable frames.
fn is_zstd(head: &[u8]) -> bool {
    head.starts_with(&[0x28, 0xb5, 0x2f, 0xfd])
        || (head.len() >= 4 && head[0] & 0xf0 == 0x50 && head[1..4] == [0x2a, 0x4d, 0x18])
}

/// Unpacks gzip (members one after the other) and zstd (frames one after the other); everything else passes as it is.
pub(crate) fn unpacked<'a>(blob: Box<dyn Read + 'a>) -> io::Result<Box<dyn Read + 'a>> {
    let mut reader = BufReader::with_capacity(1 << 16, blob);
    let head = reader.fill_buf()?;
    Ok(if head.starts_with(&[0x1f, 0x8b]) {
        Box::new(MultiGzDecoder::new(reader))
    } else if is_zstd(head) {
        Box::new(Zstd { inner: reader, decoder: FrameDecoder::new(), open: false })
    } else {
        Box::new(reader)
    })
}

/// All frames of a zstd stream; the crate's own reader stops after the first, and chunked layers have thousands.
struct Zstd<R> {
    inner: R,
    decoder: FrameDecoder,
    open: bool,
}

impl<R: BufRead> Zstd<R> {
    /// Begins the next frame; `false` at the end of the stream.
    fn begin(&mut self) -> io::Result<bool> {
        loop {
            if self.inner.fill_buf()?.is_empty() {
                return Ok(false);
            }
            match self.decoder.reset(&mut self.inner) {
                Ok(()) => {
                    self.open = true;
                    return Ok(true);
                }
                Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame { length, .. })) => {
                    let mut skipped = (&mut self.inner).take(u64::from(length));
                    io::copy(&mut skipped, &mut io::sink())?;
                }
                Err(error) => return Err(io::Error::other(error)),
            }
        }
    }
}

impl<R: BufRead> Read for Zstd<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        loop {
            if !self.open && !self.begin()? {
                return Ok(0);
            }
            while self.decoder.can_collect() == 0 && !self.decoder.is_finished() {
                self.decoder
                    .decode_blocks(&mut self.inner, BlockDecodingStrategy::UptoBlocks(1))
                    .map_err(io::Error::other)?;
            }
            let count = self.decoder.read(buffer)?;
            if count > 0 {
                return Ok(count);
            }
            self.open = false;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn zstd(bytes: &[u8]) -> Vec<u8> {
        ruzstd::encoding::compress_to_vec(bytes, ruzstd::encoding::CompressionLevel::Fastest)
    }

    fn read(bytes: Vec<u8>) -> io::Result<Vec<u8>> {
        let mut out = Vec::new();
        unpacked(Box::new(io::Cursor::new(bytes)))?.read_to_end(&mut out)?;
        Ok(out)
    }

    #[test]
    fn gzip_and_zstd_of_several_parts_and_plain_bytes_are_read_whole() {
        let text = "政务云".repeat(5_000).into_bytes();
        assert_eq!(read(text.clone()).unwrap(), text);
        assert_eq!(read([gzip(&text), gzip(b"end")].concat()).unwrap(), [&text[..], b"end"].concat());
        let skippable = [&[0x50, 0x2a, 0x4d, 0x18, 3, 0, 0, 0][..], b"abc"].concat();
        let frames = [skippable.clone(), zstd(&text), skippable, zstd(b"end")].concat();
        assert_eq!(read(frames).unwrap(), [&text[..], b"end"].concat());
    }

    #[test]
    fn what_ends_early_or_is_no_stream_is_an_error() {
        for packed in [gzip(&[7; 100_000]), zstd(&[7; 100_000])] {
            assert!(read(packed[..packed.len() / 2].to_vec()).is_err());
        }
        assert!(read(vec![0x1f, 0x8b, 0, 0, 0]).is_err());
    }

    #[test]
    fn another_digest_or_more_bytes_than_promised_are_refused() {
        let digest = Digest::sha256(b"abc").to_string();
        let run = |bytes: &'static [u8], size| {
            let mut out = Vec::new();
            Verified::new(bytes, &digest, size).read_to_end(&mut out).map(|_| out)
        };
        assert_eq!(run(b"abc", Some(3)).unwrap(), b"abc");
        assert!(run(b"abd", None).is_err());
        assert!(run(b"abcd", Some(3)).is_err());
    }

    #[test]
    fn a_bomb_ends_when_it_has_grown() {
        let bomb = gzip(&vec![0; 8 << 20]);
        let limits = Limits { ratio_from: 1 << 20, ..Limits::default() };
        let mut budget = Budget::default();
        let packed = bomb.len() as u64;
        let mut reader = layer(Box::new(io::Cursor::new(bomb)), packed, &mut budget, &limits).unwrap();
        let error = io::copy(&mut reader, &mut io::sink()).unwrap_err();
        assert!(error.to_string().contains("unpacked bytes of a layer"), "{error}");
        drop(reader);
        assert!(budget.unpacked < 3 << 20, "{}", budget.unpacked);
    }
}

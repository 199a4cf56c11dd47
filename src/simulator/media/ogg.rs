//! Opus in an Ogg file (RFC 3533, RFC 7845): one mono stream, one packet of 20 ms a page.

use super::{FRAME_SAMPLES, Frame, SAMPLE_RATE};

/// The stream's number in its file; there is only one.
const SERIAL: u32 = 1;
/// Samples before the first that is heard: what the encoder needs to settle (RFC 7845, section 4.2).
const PRE_SKIP: u16 = 312;
/// Page flags (RFC 3533, section 6).
const FIRST: u8 = 2;
const LAST: u8 = 4;

/// A file of these packets.
pub(super) fn file(packets: &[Frame]) -> Vec<u8> {
    let mut head = b"OpusHead\x01\x01".to_vec();
    head.extend_from_slice(&PRE_SKIP.to_le_bytes());
    head.extend_from_slice(&SAMPLE_RATE.to_le_bytes());
    // Gain 0, channel mapping 0: mono.
    head.extend_from_slice(&[0, 0, 0]);
    let vendor = b"click-to-call";
    let mut tags = b"OpusTags".to_vec();
    tags.extend_from_slice(
        &u32::try_from(vendor.len())
            .unwrap_or_default()
            .to_le_bytes(),
    );
    tags.extend_from_slice(vendor);
    tags.extend_from_slice(&0_u32.to_le_bytes());

    let mut file = Vec::new();
    page(&mut file, FIRST, 0, 0, &head);
    let last_header = if packets.is_empty() { LAST } else { 0 };
    page(&mut file, last_header, 0, 1, &tags);
    let mut samples = 0;
    for (place, packet) in packets.iter().enumerate() {
        samples += u64::try_from(FRAME_SAMPLES).unwrap_or_default();
        let flags = if place + 1 == packets.len() { LAST } else { 0 };
        let number = u32::try_from(place + 2).unwrap_or_default();
        page(&mut file, flags, samples, number, packet);
    }
    file
}

/// Appends a page with one packet; `samples` are counted up to its end.
fn page(file: &mut Vec<u8>, flags: u8, samples: u64, number: u32, packet: &[u8]) {
    let start = file.len();
    file.extend_from_slice(b"OggS\0");
    file.push(flags);
    file.extend_from_slice(&samples.to_le_bytes());
    file.extend_from_slice(&SERIAL.to_le_bytes());
    file.extend_from_slice(&number.to_le_bytes());
    file.extend_from_slice(&[0; 4]);
    // Lengths of 255 until one that is shorter ends the packet.
    let full = packet.len() / 255;
    file.push(u8::try_from(full + 1).unwrap_or_default());
    file.resize(file.len() + full, 255);
    file.push(u8::try_from(packet.len() % 255).unwrap_or_default());
    file.extend_from_slice(packet);
    let sum = checksum(file.get(start..).unwrap_or_default());
    if let Some(place) = file.get_mut(start + 22..start + 26) {
        place.copy_from_slice(&sum.to_le_bytes());
    }
}

/// CRC-32 with the polynomial 0x04c11db7, not reflected, from 0 (RFC 3533, section 6).
fn checksum(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0, |sum: u32, byte| {
        (0..8).fold(sum ^ (u32::from(*byte) << 24), |sum, _| {
            let doubled = sum << 1;
            if sum >> 31 == 1 {
                doubled ^ 0x04c1_1db7
            } else {
                doubled
            }
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_that_of_the_format() {
        // The catalogue's check value of CRC-32/MPEG-2 starts from all ones; from 0 it is this.
        assert_eq!(checksum(b"123456789"), 0x89a1_897f);
        assert_eq!(checksum(b""), 0);
    }

    #[test]
    fn a_file_has_two_headers_and_a_page_for_each_packet() {
        let packets = [Frame::from(&[1_u8; 300][..]), Frame::from(&[2_u8; 255][..])];
        let file = file(&packets);
        let pages = file
            .windows(5)
            .filter(|window| *window == b"OggS\0")
            .count();
        assert_eq!(pages, 4);
        assert!(file.windows(8).any(|window| window == b"OpusHead"));
        assert!(file.windows(8).any(|window| window == b"OpusTags"));
        // A length of 255 needs another of 0 after it.
        let last = file.len() - 255;
        assert_eq!(file[last - 3..last], [2, 255, 0]);
        assert_eq!(file[last - 3 - 21], LAST);
    }
}

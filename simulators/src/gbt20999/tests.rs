use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::damage::damaged;

fn frames() -> impl Strategy<Value = Frame> {
    let kind = any::<u8>().prop_filter_map("a kind", Kind::from_byte);
    let item = (any::<(u8, u8, u8, u8, u8)>(), vec(any::<u8>(), 0..=251));
    let items = vec(item.prop_map(|((row, a, b, c, d), data)| Item { row, at: Address(a, b, c, d), data }), 0..20);
    (any::<(u16, u8, u32, u8, u8)>(), kind, items).prop_map(
        |((version, centre, controller, road, seq), kind, items)| Frame {
            version,
            centre,
            controller,
            road,
            seq,
            kind,
            items,
        },
    )
}

fn wires() -> impl Strategy<Value = Wire> {
    let length = prop_oneof![Just(Length::AfterItself), Just(Length::Inside), Just(Length::WithoutCrc)];
    (length, prop_oneof![Just(0x1005), Just(0x1021)], prop_oneof![Just(0), Just(0xffff)])
        .prop_map(|(length, crc_polynomial, crc_initial)| Wire { length, crc_polynomial, crc_initial })
}

fn heartbeat() -> Frame {
    let (centre, controller, road, seq) = (1, 2, 3, 4);
    Frame { version: VERSION, centre, controller, road, seq, kind: Kind::Heartbeat, items: Vec::new() }
}

proptest! {
    #[test]
    fn frames_pass_a_stream_whole_in_any_pieces(
        sent in vec(frames(), 1..5),
        wire in wires(),
        noise in vec(any::<u8>().prop_filter("no head", |byte| *byte != 0x7e), 0..9),
        piece in 1..99_usize,
    ) {
        let mut bytes = Vec::new();
        for frame in &sent {
            bytes.extend_from_slice(&noise);
            bytes.extend_from_slice(&wire.encode(frame).unwrap());
        }
        let mut stream = Stream::new(wire);
        let heard: Vec<_> = bytes.chunks(piece).flat_map(|piece| stream.take(piece)).collect();
        prop_assert_eq!(heard, sent.into_iter().map(Ok).collect::<Vec<_>>());
    }

    #[test]
    fn between_head_and_tail_stands_neither_bare(frame in frames()) {
        let bytes = Wire::default().encode(&frame).unwrap();
        let mut inside = bytes[1..bytes.len() - 1].iter();
        while let Some(byte) = inside.next() {
            prop_assert!(!matches!(byte, 0x7e | 0x7d));
            if *byte == 0x5c {
                prop_assert!(matches!(inside.next(), Some(0x7e | 0x7d | 0x5c)));
            }
        }
    }

    #[test]
    fn one_bit_in_the_wrong_is_found(frame in frames(), at: prop::sample::Index, bit in 0..8_u32) {
        let wire = Wire::default();
        let bytes = wire.encode(&frame).unwrap();
        let mut inside: Vec<u8> = Vec::new();
        let mut escaped = false;
        for byte in &bytes[1..bytes.len() - 1] {
            if *byte == 0x5c && !escaped {
                escaped = true;
            } else {
                escaped = false;
                inside.push(*byte);
            }
        }
        let row = at.index(inside.len());
        inside[row] ^= 1_u8 << bit;
        prop_assert!(wire.decode(&inside).is_err());
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in vec(any::<u8>(), 0..400)) {
        let _any_result = Wire::default().decode(&bytes);
        let mut stream = Stream::new(Wire::default());
        stream.take(&bytes);
        // Whatever came before: the second of two whole frames is heard.
        let good = Wire::default().encode(&heartbeat()).unwrap();
        stream.take(&good);
        prop_assert_eq!(stream.take(&good).pop(), Some(Ok(heartbeat())));
    }

    #[test]
    fn damaged_frames_are_frames_or_refused_and_what_follows_is_heard(frame in frames(), seed: u64) {
        let wire = Wire::default();
        let mut stream = Stream::new(wire);
        stream.take(&damaged(&wire.encode(&frame).unwrap(), seed));
        let good = wire.encode(&heartbeat()).unwrap();
        stream.take(&good);
        prop_assert_eq!(stream.take(&good).pop(), Some(Ok(heartbeat())));
    }

    #[test]
    fn plans_pass(number: u8, road: u8, offset_s: u16, steps in vec((1..=255_u8, 0..4000_u16), 1..=MAX_CHAIN)) {
        let steps = steps.into_iter().map(|(stage, time_s)| PlanStep { stage, time_s }).collect();
        let plan = PlanRow { number, road, offset_s, steps };
        let frame = Frame { kind: Kind::Set, items: plan.items().unwrap(), ..heartbeat() };
        let mut stream = Stream::new(Wire::default());
        let heard = stream.take(&Wire::default().encode(&frame).unwrap());
        prop_assert_eq!(PlanRow::read(heard[0].as_ref().unwrap()), Some(plan));
    }
}

#[test]
fn a_heartbeat_is_these_bytes() {
    let wire = Wire::default();
    let inside = [0x00, 0x0d, 0x01, 0x02, 0x01, 0x00, 0x00, 0x00, 0x02, 0x03, 0x04, 0x70, 0x00];
    let crc = wire.crc(&inside).to_be_bytes();
    let expected = [[0x7e].as_slice(), &inside, &crc, &[0x7d]].concat();
    assert_eq!(wire.encode(&heartbeat()).unwrap(), expected);
}

#[test]
fn the_crc_is_that_of_its_polynomial() {
    let ccitt = Wire { crc_polynomial: 0x1021, crc_initial: 0xffff, ..Wire::default() };
    assert_eq!(ccitt.crc(b"123456789"), 0x29b1, "the check value of CRC-16/CCITT-FALSE");
    assert_eq!(Wire::default().crc(&[0x01]), 0x1005, "one bit: the polynomial itself");
    assert_eq!(Wire::default().crc(&[]), 0);
}

#[test]
fn what_cannot_be_written_is_refused() {
    let item = |bytes| Item { row: 1, at: address::LAMPS, data: vec![0; bytes] };
    let frame = |items| Frame { items, ..heartbeat() };
    assert_eq!(Wire::default().encode(&frame(vec![item(252)])), Err(FrameError::TooLong));
    assert_eq!(Wire::default().encode(&frame(vec![item(0); 256])), Err(FrameError::TooLong));
    assert!(Wire::default().encode(&frame(vec![item(251); 254])).is_ok());
}

#[test]
fn a_frame_without_an_end_takes_no_memory_for_ever() {
    let mut stream = Stream::new(Wire::default());
    stream.take(&[0x7e]);
    let heard = stream.take(&vec![0; MAX_FRAME + 1]);
    assert_eq!(heard, [Err(FrameError::TooLong)]);
    assert_eq!(stream.take(&[0x7e, 1, 0x7e]), [Err(FrameError::Broken)]);
}

//! The protocol against its bytes, as the manual has them.

use std::net::TcpListener;

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

fn bytes(hex: &str) -> Vec<u8> {
    let digits: Vec<u8> = hex.chars().filter(|c| !c.is_whitespace()).map(|c| c.to_digit(16).unwrap() as u8).collect();
    digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect()
}

/// A command with its length before it.
fn command(content: &str) -> String {
    format!("{:02x} {content} ", bytes(content).len() + 1)
}

/// A SUMO that answers one message after the other, and gives back what it was told.
fn with_answers<T>(answers: &[&str], talk: impl FnOnce(&mut Client) -> T) -> (T, Vec<Vec<u8>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::scope(|scope| {
        let sumo = scope.spawn(|| {
            let (mut stream, _) = listener.accept().unwrap();
            let answer = |answer: &&str| {
                let mut length = [0; 4];
                stream.read_exact(&mut length).unwrap();
                let mut told = vec![0; u32::from_be_bytes(length) as usize - 4];
                stream.read_exact(&mut told).unwrap();
                let answer = bytes(answer);
                stream.write_all(&(answer.len() as u32 + 4).to_be_bytes()).unwrap();
                stream.write_all(&answer).unwrap();
                told
            };
            answers.iter().map(answer).collect()
        });
        let mut client = Client::connect(address, || true).unwrap();
        let result = talk(&mut client);
        drop(client);
        (result, sumo.join().unwrap())
    })
}

#[test]
fn the_version_is_asked_for_and_read() {
    let answer = "07 00 00 00000000  0e 00 00000016 00000004 53554d4f";
    let (version, told) = with_answers(&[answer], |client| client.version().unwrap());
    assert_eq!((version, told), ((22, "SUMO".to_string()), vec![bytes("02 00")]));
}

#[test]
fn a_state_is_set_and_vehicles_are_subscribed_in_one_message() {
    // Two statuses, then where vehicle "v" is.
    let vehicle = "e4 00000001 76 04 51 00 0c 00000001 61  56 00 0b 4029000000000000  40 00 0b 0000000000000000 \
                   49 01 0c 00000000";
    let answer = "07 c2 00 00000000  07 d4 00 00000000 ".to_string() + &command(vehicle);
    let mut heard = Vec::new();
    let ((), told) = with_answers(&[&answer], |client| {
        client.set_state("J", "Gr");
        client.subscribe_vehicle("v");
        client
            .flush(|what| {
                if let Heard::Vehicle(name, at) = what {
                    heard.push((name.to_string(), at.lane.to_string(), at.at_m, at.speed_m_s, at.class.to_string()));
                }
            })
            .unwrap();
    });
    assert_eq!(heard, [("v".into(), "a".into(), 12.5, 0.0, String::new())], "what SUMO cannot give is passed over");
    let set = "0f c2 20 00000001 4a 0c 00000002 4772";
    let subscribe = "1c d4 c1d0000000000000 c1d0000000000000 00000001 76 04 51 56 40 49";
    assert_eq!(told, [bytes(&format!("{set} {subscribe}"))]);
}

#[test]
fn a_step_tells_time_departures_arrivals_and_lights() {
    let simulation = "eb 00000000 03 66 00 0b 40f8612000000000 \
                      74 00 0e 00000002 00000001 61 00000001 62  7a 00 0e 00000001 00000001 63";
    // The light's answer has the long form of a length.
    let (simulation, light) = (command(simulation), "00 00000016 e2 00000001 4a 01 20 00 0c 00000003 477972");
    let answer = format!("07 02 00 00000000  00000002 {simulation} {light}");
    let mut heard = Vec::new();
    let ((), told) = with_answers(&[&answer], |client| {
        client.step_to(2.0, |what| heard.push(format!("{what:?}"))).unwrap();
    });
    let expected = ["Time(99858.0)", "Departed(\"a\")", "Departed(\"b\")", "Arrived(\"c\")", "Light(\"J\", \"Gyr\")"];
    assert_eq!(heard, expected);
    assert_eq!(told, [bytes("0a 02 4000000000000000")]);
}

#[test]
fn the_ways_of_a_light_are_read() {
    let way = "0e 00000003 00000001 61 00000001 62 00000002 3a63";
    let value = format!("0f 00000003 09 00000002 09 00000001 {way} 09 00000000");
    let answer = "07 a2 00 00000000 ".to_string() + &command(&format!("b2 27 00000001 4a {value}"));
    let (links, told) = with_answers(&[&answer], |client| client.controlled_links("J").unwrap());
    assert_eq!(links, [vec![ControlledLink { from: "a".into(), to: "b".into() }], vec![]]);
    assert_eq!(told, [bytes("08 a2 27 00000001 4a")]);
}

#[test]
fn a_long_command_has_a_long_length() {
    let mut orders = Orders::default();
    orders.push(number::SET_LIGHT, |content| content.resize(254, 7));
    assert_eq!(orders.message[..6], bytes("00 00000104 c2"));
    let (id, mut content) = Reader::new(&orders.message).command().unwrap();
    assert_eq!((id, content.byte().unwrap()), (number::SET_LIGHT, 7));
}

#[test]
fn a_refusal_says_why_and_nonsense_is_an_error() {
    let refusal = "0a c2 ff 00000003 6e6f21";
    let (refused, _) = with_answers(&[refusal], |client| {
        client.set_state("J", "G");
        client.flush(|_| {})
    });
    assert_eq!(refused.unwrap_err().to_string(), "SUMO refuses command 0xc2: no!");
    let whole = bytes("07 00 00 00000000  0e 00 00000016 00000004 53554d4f");
    for end in 0..whole.len() {
        let mut cut = Reader::new(&whole[..end]);
        let read = cut.status(0).and_then(|()| cut.command());
        assert!(read.is_err(), "cut at {end}");
    }
    for impossible in ["00 80000000 c2", "01 c2", "00 00000000 c2"] {
        assert!(Reader::new(&bytes(impossible)).command().is_err(), "{impossible}");
    }
    let (answer, _) = with_answers(&["07 02 00 00000000"], |client| client.time_s());
    assert!(matches!(answer, Err(TraciError::Answer(_))));
}

proptest! {
    #[test]
    fn no_answer_makes_it_panic(command: u8, variables in vec((any::<u8>(), 0..2_u8), 0..4), rest: Vec<u8>) {
        let told: Vec<u8> = variables.iter().flat_map(|(variable, status)| [*variable, *status, 0x0c, 0, 0, 0, 0]).collect();
        let mut answer = vec![0, 0, 0, 0, 0, command, 0, 0, 0, 1, b'v', variables.len() as u8];
        answer.extend(told.iter().chain(&rest));
        let length = answer.len() as i32;
        answer[1..5].copy_from_slice(&length.to_be_bytes());
        let _any_reading = heard::subscription(&mut Reader::new(&answer), &mut |_| {});
        let _any_ways = heard::links(&mut Reader::new(&rest));
    }
}

#[test]
fn who_does_not_listen_is_given_up_when_told_so() {
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let mut left = 2;
    let given_up = Client::connect(address, || {
        left -= 1;
        left > 0
    });
    assert!(matches!(given_up, Err(TraciError::Silent { .. })));
}

use super::*;

fn login() -> Message {
    let user = Object::of("SDO_User", [Object::text("UserName", "指挥<平台>&"), Object::text("Pwd", "x")]);
    let operation = Operation { order: "1".into(), name: "Login".into(), objects: vec![user] };
    let (from, to, seq) = ("TICP".into(), "UTCS".into(), "20250721110234000001".into());
    Message { token: String::new(), from, to, kind: Kind::Request, seq, operations: vec![operation] }
}

#[test]
fn a_message_is_written_and_read_back_in_any_pieces() {
    let bytes = [login().write("2.0"), b"\r\n".to_vec(), login().write("2.0")].concat();
    for piece in [1, 7, bytes.len()] {
        let mut split = Split::default();
        let heard: Vec<_> = bytes.chunks(piece).flat_map(|piece| split.take(piece).unwrap()).collect();
        assert_eq!(heard.len(), 2);
        heard.iter().for_each(|text| assert_eq!(Message::read(text), Ok(login())));
    }
}

#[test]
fn a_message_of_the_standard_is_read() {
    let text = "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Message><Version>2.0</Version><Token/><From><Address>\
        <Sys>TICP</Sys><SubSys/><Instance/></Address></From><To><Address><Sys>UTCS</Sys></Address></To>\
        <Type>PUSH</Type><Seq>1</Seq><Body><Operation order=\"1\" name=\"Notify\"><SDO_HeartBeat/></Operation></Body>\
        </Message>";
    let read = Message::read(text.as_bytes()).unwrap();
    assert_eq!((read.kind, read.from.as_str(), read.operations[0].name.as_str()), (Kind::Push, "TICP", "Notify"));
    assert_eq!(read.operations[0].objects, [Object::text("SDO_HeartBeat", "")]);
}

#[test]
fn what_xml_cannot_hold_is_left_out() {
    let mut message = login();
    message.operations[0].name = "a\u{1}b".into();
    message.operations[0].objects[0].fields[1].text = "\u{0}\u{ffff}".into();
    let read = Message::read(&message.write("2.0")).unwrap();
    assert_eq!((read.operations[0].name.as_str(), read.operations[0].objects[0].field("Pwd")), ("a?b", Some("??")));
}

#[test]
fn a_message_that_is_deep_and_within_its_bounds_is_a_fault_and_no_end() {
    let within = |depth: usize| {
        let (open, close) = ("<a>".repeat(depth), "</a>".repeat(depth));
        format!(
            "<Message><Type>REQUEST</Type><Body><Operation order=\"1\" name=\"Set\">{open}{close}</Operation></Body></Message>"
        )
    };
    assert!(within(19_000).len() < MAX_MESSAGE);
    assert!(Message::read(within(19_000).as_bytes()).unwrap_err().why.contains("deep"));
    assert!(Message::read(within(20).as_bytes()).is_ok());
}

#[test]
fn what_is_no_message_is_a_fault_with_a_reason() {
    let deep = format!("<Message>{}</Message>", "<a>".repeat(30_000));
    for text in ["", "<Message>", "<Message><Type>x</Type></Message>", "<!DOCTYPE x><Message/>", &deep] {
        assert!(!Message::read(text.as_bytes()).unwrap_err().why.is_empty(), "{text:.60}");
    }
    assert!(Message::read(&[0xff]).is_err());
    assert_eq!(Split::default().take(&vec![b'x'; MAX_MESSAGE + 1]), None);
}

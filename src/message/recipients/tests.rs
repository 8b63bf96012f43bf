//! Three lists and one collection that are the same thing.

use super::*;
use RecipientType::{Bcc, Cc, To};

fn recipients(lists: &[(RecipientType, &str)]) -> Recipients {
    let mut recipients = Recipients::default();
    for (kind, text) in lists {
        recipients.set_all(*kind, text).unwrap();
    }
    recipients
}

fn wire(recipients: &Recipients) -> Vec<(String, RecipientType)> {
    recipients.envelope().unwrap().into_iter().map(|r| (r.address, r.kind)).collect()
}

#[test]
fn setting_a_list_replaces_the_entries_of_its_type_and_no_other() {
    let mut list = recipients(&[(To, "a@x.example, b@x.example"), (Bcc, "c@x.example")]);
    list.set_all(To, "\"D, E\" <d@x.example>").unwrap();
    assert_eq!(list.text(To), "\"D, E\" <d@x.example>");
    assert_eq!((list.text(Cc).as_str(), list.text(Bcc).as_str()), ("", "c@x.example"));
    list.set_all(Bcc, "").unwrap();
    assert_eq!(list.count(), 1);
}

#[test]
fn the_lists_and_the_collection_are_views_of_one_list() {
    let mut list = recipients(&[(Cc, "c@x.example"), (To, "Joe Doe <a@x.example>, b@x.example")]);
    assert_eq!(list.count(), 3);
    assert_eq!((list.address(0).unwrap().as_str(), list.name(0).unwrap().as_str()), ("a@x.example", "Joe Doe"));
    assert_eq!(list.kind(2).unwrap(), Cc);
    list.set_name(1, "Doe, Jane").unwrap();
    list.set_kind(2, To).unwrap();
    assert_eq!(list.text(To), "Joe Doe <a@x.example>, \"Doe, Jane\" <b@x.example>, c@x.example");
    assert_eq!(list.text(Cc), "");
    list.set_address(3, "d@x.example").unwrap();
    list.set_kind(3, Bcc).unwrap();
    assert_eq!(list.text(Bcc), "d@x.example");
}

#[test]
fn the_index_that_equals_the_count_appends_and_beyond_is_605() {
    let mut list = Recipients::default();
    assert_eq!(list.set_address(1, "a@x.example").unwrap_err().code, Code::Index);
    list.set_address(0, "a@x.example").unwrap();
    for index in [-1, 1, i32::MIN, i32::MAX] {
        assert_eq!(list.address(index).unwrap_err().code, Code::Index);
        assert_eq!(list.set_name(index, "x").unwrap_err().code, Code::Index);
        assert_eq!(list.set_options(index, "").unwrap_err().code, Code::Index);
        assert_eq!(list.set_kind(index, To).unwrap_err().code, Code::Index);
    }
    assert_eq!(list.set_address(-1, "a@x.example").unwrap_err().code, Code::Index);
}

#[test]
fn the_count_clears_cuts_and_appends_entries_that_are_not_sent() {
    let mut list = recipients(&[(To, "a@x.example, b@x.example")]);
    list.set_count(4).unwrap();
    assert_eq!((list.count(), wire(&list).len(), list.text(To).as_str()), (4, 2, "a@x.example, b@x.example"));
    list.set_count(1).unwrap();
    assert_eq!(wire(&list), [("a@x.example".to_string(), To)]);
    list.set_count(0).unwrap();
    assert_eq!(list.envelope().unwrap_err().code, Code::NoRecipient);
    for count in [-1, i32::MAX] {
        assert_eq!(list.set_count(count).unwrap_err().code, Code::ValueRefused);
    }
}

#[test]
fn text_that_is_no_address_is_kept_and_is_error_165_in_the_envelope() {
    let list = recipients(&[(To, "good@x.example, no address, \"x, y\" <b@x.example>, @")]);
    assert_eq!(list.text(To), "good@x.example, no address, \"x, y\" <b@x.example>, @");
    assert_eq!((list.count(), list.address(0).unwrap().as_str()), (4, "good@x.example"));
    let error = list.envelope().unwrap_err();
    assert_eq!(error.code, Code::NoRecipient);
    assert!(error.message.contains("no address"), "{error}");
}

#[test]
fn cr_lf_and_nul_are_refused_and_change_nothing() {
    let mut list = recipients(&[(To, "a@x.example")]);
    for bad in ["b@x.example\r\nRCPT TO:<c@x.example>", "\"a\n\"@x.example", "a\0@x.example", "a\r@x.example"] {
        assert_eq!(list.set_all(To, bad).unwrap_err().code, Code::ValueRefused);
        assert_eq!(list.set_address(0, bad).unwrap_err().code, Code::ValueRefused);
        assert_eq!(list.set_address(1, bad).unwrap_err().code, Code::ValueRefused);
        assert_eq!(list.set_name(0, bad).unwrap_err().code, Code::ValueRefused);
        assert_eq!(list.set_options(0, bad).unwrap_err().code, Code::ValueRefused);
    }
    assert_eq!(list.text(To), "a@x.example");
}

#[test]
fn a_mailbox_is_in_the_envelope_once_and_the_first_type_wins() {
    let list =
        recipients(&[(Bcc, "A@X.example, d@x.example"), (Cc, "a@x.example"), (To, "\"A\"@x.EXAMPLE, a@x.example")]);
    assert_eq!(
        wire(&list),
        [("A@x.EXAMPLE".to_string(), To), ("a@x.example".to_string(), To), ("d@x.example".to_string(), Bcc)]
    );
}

#[test]
fn groups_stay_groups_in_the_text_and_are_mailboxes_in_the_envelope() {
    let text = "Team: Ed <ed@x.example>, jo@x.example;, al@x.example";
    let list = recipients(&[(To, text), (Cc, "undisclosed-recipients:;")]);
    assert_eq!(list.text(To), text);
    assert_eq!(list.text(Cc), "undisclosed-recipients: ;");
    assert_eq!(wire(&list).len(), 3);
}

#[test]
fn an_address_with_a_name_set_in_the_collection_is_sent_to() {
    let mut list = Recipients::default();
    list.set_address(0, "Joe Doe <joe@doe.example>").unwrap();
    list.set_options(0, "NOTIFY SUCCESS").unwrap();
    let envelope = list.envelope().unwrap();
    assert_eq!(
        (envelope[0].address.as_str(), &envelope[0].options[..]),
        ("joe@doe.example", &["NOTIFY=SUCCESS".to_string()][..])
    );
    assert!(!envelope[0].needs_smtputf8);
}

#[test]
fn five_thousand_recipients_keep_their_order() {
    let many: Vec<String> = (0..5000).map(|n| format!("r{n}@x.example")).collect();
    let list = recipients(&[(To, &many.join(", "))]);
    let addresses: Vec<String> = wire(&list).into_iter().map(|(address, _)| address).collect();
    assert_eq!(addresses, many);
}

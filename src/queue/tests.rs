//! The format and the folder: what is written comes back, and what was changed in any way does not.

use super::content::Body;
use super::folder::{Back, Folder, Reach, Take};
use super::format::{Head, MAGIC};
use super::names::{FAILED, QUEUED, SENDING};
use super::octets::{MemoryOctets, Octets};
use super::read::Stored;
use super::recover::{Recovery, recover};
use super::sealed::{Keyring, Refused};
use super::state::State;
use super::write::Writer;
use super::{Addressee, Transaction, armor};
use crate::enums::RecipientType;
use crate::error::Result;
use parking_lot::Mutex;
use proptest::prelude::*;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

fn transaction(to: &str) -> Transaction {
    let options = vec!["NOTIFY=SUCCESS,FAILURE".into(), "ORCPT=rfc822;<x>@y".into()];
    Transaction {
        sender: "a@client.example".into(),
        recipients: vec![
            Addressee { address: to.into(), options, kind: RecipientType::To },
            Addressee { address: "\"o> d\"@x.example".into(), options: vec![], kind: RecipientType::Bcc },
        ],
        smtp_utf8: false,
        parameters: vec![("Ret", "HDRS".into()), ("EnvId", "id 1".into())],
    }
}

fn file(contents: &[&[u8]], keys: Option<&Keyring>) -> Vec<u8> {
    let transactions: Vec<Transaction> = (0..contents.len()).map(|n| transaction(&format!("r{n}@x.example"))).collect();
    let key = keys.map(|k| k.fresh().unwrap());
    let mut out = Vec::new();
    let mut writer = Writer::new(&mut out, key, 1_800_000_000, &transactions).unwrap();
    for content in contents {
        writer.begin().unwrap();
        content.chunks(1000).for_each(|c| writer.write(c).unwrap());
    }
    writer.finish().unwrap();
    out
}

fn open(octets: Vec<u8>, keys: Option<&Keyring>) -> Result<Stored> {
    match Stored::open(Arc::new(MemoryOctets(octets)), keys) {
        Ok(stored) => Ok(stored),
        Err(Refused::Password(e) | Refused::Damaged(e)) => Err(e),
    }
}

fn text(stored: &Stored, index: usize) -> Result<Vec<u8>> {
    let content = stored.content(index)?;
    let mut out = content.headers;
    match content.body {
        Body::Kept(octets) => out.extend_from_slice(&octets),
        Body::Read(opener) => {
            let mut source = opener.open()?;
            assert_eq!(source.total(), opener.size());
            while let Some(octets) = source.next()? {
                assert!(!octets.is_empty());
                out.extend_from_slice(octets);
            }
        }
    }
    Ok(out)
}

/// PBKDF2 takes its time, so one is enough.
fn keys() -> &'static Keyring {
    static KEYS: OnceLock<Keyring> = OnceLock::new();
    KEYS.get_or_init(|| Keyring::new("correct horse").unwrap())
}

fn large() -> Vec<u8> {
    let mut octets = b"Subject: large\r\n\r\n".to_vec();
    (0..80_000u32).for_each(|n| octets.extend_from_slice(format!("line {n:08} \u{e9}\r\n").as_bytes()));
    octets
}

#[test]
fn messages_come_back_byte_for_byte_plain_and_sealed_and_armored() {
    let large = large();
    let contents: [&[u8]; 4] = [b"Subject: x\r\n\r\nHi\r\n", b"", &large, b"no header\r\n"];
    for keys in [None, Some(keys())] {
        let octets = file(&contents, keys);
        for octets in [octets.clone(), armor::armor(&octets).into_bytes()] {
            let stored = open(octets, keys).unwrap();
            assert_eq!((stored.created, stored.transactions.len()), (1_800_000_000, 4));
            assert_eq!(stored.transactions[3], transaction("r3@x.example"));
            for (n, content) in contents.iter().enumerate() {
                assert_eq!(text(&stored, n).unwrap(), *content, "{n}");
                assert_eq!(stored.is_eight_bit(n), n == 2);
            }
            assert_eq!(stored.content(0).unwrap().headers, b"Subject: x\r\n\r\n");
        }
    }
}

#[test]
fn line_ends_become_crlf_and_the_last_line_gets_one() {
    let stored = open(file(&[b"a\nb\rc\r\nd"], None), None).unwrap();
    assert_eq!(text(&stored, 0).unwrap(), b"a\r\nb\r\nc\r\nd\r\n");
}

#[test]
fn a_file_with_any_bit_changed_or_cut_off_anywhere_is_never_read() {
    let octets = file(&[b"Subject: x\r\n\r\nHi\r\n", b"Subject: y\r\n\r\n"], None);
    for at in 0..octets.len() {
        assert!(open(octets[..at].to_vec(), None).is_err(), "cut at {at}");
        for bit in 0..8 {
            let mut changed = octets.clone();
            changed[at] ^= 1 << bit;
            assert!(open(changed, None).is_err(), "octet {at}, bit {bit}");
        }
    }
    let mut longer = octets.clone();
    longer.push(b'\n');
    assert!(open(longer, None).is_err());
    assert!(open([octets.clone(), octets].concat(), None).is_err());
}

#[test]
fn a_sealed_file_with_a_bit_changed_a_chunk_moved_or_cut_off_is_never_read() {
    let octets = file(&[&large()], Some(keys()));
    assert!(octets.len() > 1_200_000);
    let mut positions: Vec<usize> = (0..300).collect();
    positions.extend((300..octets.len()).step_by(100_003));
    positions.extend(octets.len() - 20..octets.len());
    for at in positions {
        let mut changed = octets.clone();
        changed[at] ^= 0x10;
        assert!(open(changed, Some(keys())).is_err(), "{at}");
    }
    let body = super::sealed::HEADER;
    for cut in [body, body + 65552, octets.len() - 1, octets.len() - 65552] {
        assert!(open(octets[..cut].to_vec(), Some(keys())).is_err(), "cut at {cut}");
    }
    let mut swapped = octets.clone();
    let (one, two) = (octets[body..body + 65552].to_vec(), octets[body + 65552..body + 2 * 65552].to_vec());
    swapped[body..body + 65552].copy_from_slice(&two);
    swapped[body + 65552..body + 2 * 65552].copy_from_slice(&one);
    assert!(open(swapped, Some(keys())).is_err());
}

#[test]
fn a_sealed_file_shows_nothing_and_wants_the_password_it_was_made_with() {
    let octets = file(&[b"Subject: secret\r\n\r\nconfidential\r\n"], Some(keys()));
    for word in [&b"secret"[..], b"confidential", b"example", b"horse"] {
        assert!(memchr::memmem::find(&octets, word).is_none());
    }
    for keys in [None, Some(&Keyring::new("wrong").unwrap())] {
        let refused = Stored::open(Arc::new(MemoryOctets(octets.clone())), keys);
        assert!(matches!(refused, Err(Refused::Password(_))), "it may be good, so it is not called damaged");
    }
    let same = Keyring::new("correct horse").unwrap();
    assert!(open(octets.clone(), Some(&same)).is_ok(), "another process with the same password");
    assert_ne!(octets, file(&[b"Subject: secret\r\n\r\nconfidential\r\n"], Some(keys())), "no two are the same");
    // A foreign file must not make us derive keys for hours.
    let mut greedy = octets;
    greedy[30..40].copy_from_slice(b"4294967295");
    assert!(matches!(Stored::open(Arc::new(MemoryOctets(greedy)), Some(keys())), Err(Refused::Damaged(_))));
}

#[test]
fn a_key_takes_the_place_of_a_password() {
    let key = |digit: &str| Keyring::new(&format!("key:{}", digit.repeat(64)));
    let octets = file(&[b"Subject: secret\r\n\r\nHi\r\n"], Some(&key("a").unwrap()));
    assert!(open(octets.clone(), Some(&key("a").unwrap())).is_ok());
    for other in [key("b").unwrap(), Keyring::new("password").unwrap()] {
        let refused = Stored::open(Arc::new(MemoryOctets(octets.clone())), Some(&other));
        assert!(matches!(refused, Err(Refused::Password(_))));
    }
    let by_password = file(&[b"x\r\n"], Some(keys()));
    assert!(matches!(
        Stored::open(Arc::new(MemoryOctets(by_password)), Some(&key("a").unwrap())),
        Err(Refused::Password(_))
    ));
    for text in ["key:", "key:abc", &format!("key:{}", "g".repeat(64)), &format!("key:{}", "a".repeat(66))] {
        assert!(Keyring::new(text).is_err(), "{text}");
    }
    assert!(key("A").is_ok());
}

/// Octets that somebody changes between the first reading and the second.
struct Shifting(Mutex<Vec<u8>>);

impl Octets for Shifting {
    fn len(&self) -> u64 {
        self.0.lock().len() as u64
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<usize> {
        MemoryOctets(self.0.lock().clone()).read_at(offset, buffer)
    }
}

#[test]
fn a_large_file_that_changes_after_the_check_does_not_come_to_its_end() {
    for at in [400, 700_000, 1_100_000] {
        let shifting = Arc::new(Shifting(Mutex::new(file(&[&large()], None))));
        let octets: Arc<dyn Octets> = shifting.clone();
        let Ok(stored) = Stored::open(octets, None) else { panic!("it is whole") };
        assert!(text(&stored, 0).is_ok());
        shifting.0.lock()[at] ^= 1;
        assert!(text(&stored, 0).is_err(), "{at}");
    }
}

proptest! {
    #[test]
    fn nothing_that_is_read_panics(octets in proptest::collection::vec(any::<u8>(), 0..400)) {
        let _ = open(octets.clone(), None);
        let _ = Head::read(&octets);
        let _ = State::read(&octets);
        for magic in [MAGIC.as_bytes(), armor::MAGIC, super::sealed::MAGIC] {
            let _ = open([magic, &octets].concat(), Some(keys()));
        }
    }

    #[test]
    fn a_head_that_was_meddled_with_reads_as_it_is_or_not_at_all(
        at in 0usize..200, insert in "[\\r\\n <>:ToFromRcpt]{1,6}",
    ) {
        let head = Head { created: 5, transactions: vec![transaction("b@x.example")] }.write().unwrap();
        let mut changed = head.clone();
        let at = at.min(changed.len());
        changed.splice(at..at, insert.bytes());
        if let Ok(read) = Head::read(&changed) {
            for recipient in &read.transactions[0].recipients {
                prop_assert!(!recipient.address.contains(['\r', '\n']));
            }
        }
    }
}

#[test]
fn what_does_not_fit_the_format_is_not_written() {
    let with = |address: &str, option: &str| {
        let recipient = Addressee { address: address.into(), options: vec![option.into()], kind: RecipientType::Cc };
        let transaction = Transaction { recipients: vec![recipient], ..Transaction::default() };
        Head { created: 0, transactions: vec![transaction] }.write()
    };
    assert!(with("b@x.example", "NOTIFY=NEVER").is_ok());
    for (address, option) in
        [("b\r\nRcpt: To <c@d>", "A=B"), ("", "A=B"), ("b@c", "<A"), ("b@c", ""), ("b@c", "A B"), ("b\0", "A=B")]
    {
        // "A B" would come back as two options.
        assert!(with(address, option).is_err(), "{address:?} {option:?}");
    }
    assert!(Head { created: 0, transactions: vec![] }.write().is_err());
    assert!(Head { created: 0, transactions: vec![Transaction::default()] }.write().is_err());
}

struct Temp(PathBuf);

impl Temp {
    fn new(name: &str) -> Temp {
        let path = std::env::temp_dir().join(format!("ssmtp-queue-{}-{name}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir(&path).unwrap();
        Temp(path)
    }

    fn folder(&self) -> Folder {
        Folder::open(self.0.to_str().unwrap()).unwrap()
    }

    fn names(&self) -> Vec<String> {
        let mut names: Vec<String> =
            std::fs::read_dir(&self.0).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

impl Drop for Temp {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn got(reach: Reach) -> super::folder::Held {
    match reach {
        Reach::Got(held) => held,
        Reach::Passed => panic!("passed"),
        Reach::Foreign(error) => panic!("{error}"),
    }
}

#[test]
fn a_new_file_is_private_and_appears_whole_or_not_at_all() {
    let temp = Temp::new("create");
    let folder = temp.folder();
    let new = folder.create().unwrap();
    std::io::Write::write_all(&mut &new.file, b"x").unwrap();
    assert!(temp.names()[0].starts_with('.') && temp.names()[0].ends_with(".tmp"));
    assert!(folder.list(QUEUED, None, None).unwrap().is_empty());
    let name = new.commit().unwrap();
    assert_eq!(temp.names(), std::slice::from_ref(&name));
    let mode = std::fs::metadata(temp.0.join(&name)).unwrap().permissions().mode();
    assert_eq!(mode & 0o7777, 0o600);
    drop(folder.create().unwrap());
    assert_eq!(temp.names(), [name], "one that is given up leaves nothing");
}

#[test]
fn links_pipes_and_folders_are_left_alone() {
    let temp = Temp::new("foreign");
    let folder = temp.folder();
    let secret = temp.0.join("secret");
    std::fs::write(&secret, "x").unwrap();
    symlink(&secret, temp.0.join("1.queued")).unwrap();
    symlink("/nowhere", temp.0.join("2.queued")).unwrap();
    std::fs::create_dir(temp.0.join("3.queued")).unwrap();
    assert!(std::process::Command::new("mkfifo").arg(temp.0.join("4.queued")).status().unwrap().success());
    let before = temp.names();
    for base in folder.list(QUEUED, None, None).unwrap() {
        assert!(matches!(folder.reach(&base, QUEUED), Reach::Foreign(_)), "{}", String::from_utf8_lossy(&base));
    }
    assert_eq!(temp.names(), before);
    assert!(matches!(folder.reach(b"5", QUEUED), Reach::Passed));
}

#[test]
fn only_one_has_a_file_and_nothing_is_overwritten() {
    let temp = Temp::new("lock");
    let (one, two) = (temp.folder(), temp.folder());
    std::fs::write(temp.0.join("a.queued"), "x").unwrap();
    let held = got(one.reach(b"a", QUEUED));
    assert!(matches!(two.reach(b"a", QUEUED), Reach::Passed));
    std::fs::write(temp.0.join("a.sending"), "other").unwrap();
    assert!(matches!(one.take(&held), Ok(Take::InTheWay(_))));
    std::fs::remove_file(temp.0.join("a.sending")).unwrap();
    assert!(matches!(one.take(&held), Ok(Take::Ours)));
    assert!(matches!(one.take(&held), Ok(Take::Gone)));
    std::fs::write(temp.0.join("a.sent"), "older").unwrap();
    one.sent(&held, true).unwrap();
    assert_eq!(temp.names(), ["a-1.sent", "a.sent"]);
    assert_eq!(std::fs::read(temp.0.join("a.sent")).unwrap(), b"older");
}

/// A child that is being started holds every open file for a moment, as a duplicate does.
#[test]
fn a_lock_does_not_outlast_its_owner_in_a_child() {
    let temp = Temp::new("child");
    let folder = temp.folder();
    let new = folder.create().unwrap();
    let _written = new.file.try_clone().unwrap();
    new.commit().unwrap();
    let base = folder.last(QUEUED).unwrap().unwrap();
    let held = got(folder.reach(&base, QUEUED));
    let _read = held.file.try_clone().unwrap();
    drop(held);
    got(folder.reach(&base, QUEUED));
}

#[test]
fn a_long_folder_is_listed_in_order_a_part_at_a_time() {
    let temp = Temp::new("list");
    let folder = temp.folder();
    for n in (0..20_000).rev() {
        std::fs::File::create(temp.0.join(format!("{n:05}.queued"))).unwrap();
    }
    std::fs::write(temp.0.join(".hidden.queued"), "").unwrap();
    std::fs::write(temp.0.join("00001.sent"), "").unwrap();
    let (mut all, mut after) = (Vec::new(), None);
    let last = folder.last(QUEUED).unwrap();
    std::fs::File::create(temp.0.join("99999.queued")).unwrap();
    loop {
        let names = folder.list(QUEUED, after.as_ref(), last.as_ref()).unwrap();
        let Some(end) = names.last() else { break };
        assert!(names.len() <= 16 * 1024);
        after = Some(end.clone());
        all.extend(names);
    }
    assert!(all.len() == 20_000 && all.is_sorted(), "what came later is for the next call");
}

#[test]
fn recovering_tells_files_that_are_being_sent_from_those_that_are_not() {
    let temp = Temp::new("recover");
    let folder = temp.folder();
    for name in ["a.queued", "b.sending", "c.retry", "b.retry", ".foreign.tmp"] {
        std::fs::write(temp.0.join(name), "x").unwrap();
    }
    let state = State { attempts: 1, ..State::default() };
    folder.remember(b"b", &state).unwrap();
    std::mem::forget(folder.create().unwrap().file.set_len(1));
    let leftover = ".01763787600123456789-0123456789abcdef.tmp";
    std::fs::write(temp.0.join(leftover), "half").unwrap();
    let writing = folder.create().unwrap();
    let busy = got(folder.reach(b"a", QUEUED));
    assert!(matches!(folder.take(&busy), Ok(Take::Ours)));
    let other = temp.folder();
    let before = temp.names();
    assert_eq!(recover(&other, Recovery::List).unwrap(), ["b.sending"]);
    assert_eq!(temp.names(), before, "listing changes nothing");
    assert_eq!(recover(&other, Recovery::Requeue).unwrap(), ["b.queued"]);
    let names = temp.names();
    assert!(names.contains(&"a.sending".into()) && names.contains(&"b.queued".into()), "{names:?}");
    assert!(names.contains(&"b.retry".into()) && !names.contains(&"c.retry".into()), "{names:?}");
    assert!(names.contains(&".foreign.tmp".into()) && !names.contains(&leftover.into()), "{names:?}");
    assert_eq!(folder.state(b"b").unwrap(), Some(state), "what is remembered stays");
    drop(busy);
    // What is remembered of one is damaged: who has it is not known, so it stays, and the others are not kept waiting.
    std::fs::write(temp.0.join("0.sending"), "x").unwrap();
    std::fs::write(temp.0.join("0.retry"), "x").unwrap();
    assert_eq!(recover(&other, Recovery::Fail).unwrap(), ["0.sending", "a.failed"]);
    assert_eq!(std::fs::read(temp.0.join("0.retry")).unwrap(), b"x");
    assert!(writing.commit().is_ok(), "what is being written is left alone");
}

#[test]
fn what_is_remembered_goes_back_with_the_file() {
    let temp = Temp::new("state");
    let folder = temp.folder();
    std::fs::write(temp.0.join("a.sending"), "x").unwrap();
    let state = State { identity: "ab".into(), attempts: 1, next: 7, ..State::default() };
    let held = got(folder.reach(b"a", SENDING));
    assert_eq!(folder.give_back(&held, Back::Queued, &state).unwrap(), "a.queued");
    assert_eq!(folder.state(b"a").unwrap(), Some(state));
    assert!(matches!(folder.take(&held), Ok(Take::Ours)));
    folder.give_back(&held, Back::Failed, &State::default()).unwrap();
    assert_eq!(temp.names(), [format!("a.{FAILED}")], "with nothing to remember no state stays");
    symlink("/etc/passwd", temp.0.join("b.retry")).unwrap();
    assert!(folder.state(b"b").is_err());
}

#[test]
fn a_folder_that_is_none_is_error_303() {
    let temp = Temp::new("none");
    let file = temp.0.join("file");
    std::fs::write(&file, "x").unwrap();
    let long = "x/".repeat(3000);
    for path in ["", "/nowhere/at/all", file.to_str().unwrap(), &long] {
        let error = Folder::open(path).unwrap_err();
        assert_eq!(error.code, crate::error::Code::File, "{path}");
    }
}

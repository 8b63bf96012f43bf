//! Many at one folder.

use super::*;
use std::collections::HashSet;

#[test]
fn many_threads_queue_at_once_under_names_that_differ() {
    let folder = Folder::temporary();
    let names: Vec<String> = std::thread::scope(|scope| {
        let folder = &folder;
        let threads: Vec<_> = (0..8)
            .map(|n| {
                scope.spawn(move || {
                    let handle = message(&format!("t{n}"), "Hi\r\n");
                    (0..25).map(|_| queue(&handle, folder.path()).unwrap()).collect::<Vec<_>>()
                })
            })
            .collect();
        threads.into_iter().flat_map(|t| t.join().unwrap()).collect()
    });
    let distinct: HashSet<&String> = names.iter().collect();
    assert_eq!((distinct.len(), folder.names().len()), (200, 200));
}

#[test]
fn many_threads_process_one_folder_and_each_message_goes_once() {
    let server = server("PIPELINING", &[]);
    for round in 0..3 {
        let folder = Folder::temporary();
        let names: Vec<String> = (0..60).map(|n| format!("m{round}-{n}")).collect();
        fill(&folder, &names.iter().map(String::as_str).collect::<Vec<_>>());
        let before = server.count();
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    let handle = Handle::to(server.port());
                    handle.must_set("Timeout", "60");
                    process(&handle, &folder).unwrap();
                    assert!(errors(&handle).is_empty(), "{:?}", errors(&handle));
                });
            }
        });
        let mut got = arrived(&server)[before..].to_vec();
        got.sort();
        let mut expected = names;
        expected.sort();
        assert_eq!((got, folder.names().len()), (expected, 0));
    }
}

#[test]
fn a_handle_that_is_busy_says_so() {
    let (folder, server) = (Folder::temporary(), server("", &["DATA-END@1=stall"]));
    fill(&folder, &["a"]);
    let handle = Handle::to(server.port());
    std::thread::scope(|scope| {
        scope.spawn(|| {
            std::thread::sleep(std::time::Duration::from_millis(500));
            assert_eq!(queue(&handle, "*").unwrap_err().code, 166);
            assert_eq!(process(&handle, &folder).unwrap_err().code, 166);
            // Another one finds the file taken.
            let other = Handle::to(server.port());
            process(&other, &folder).unwrap();
            assert_eq!(recover(&other, folder.path()).unwrap(), "", "it is being sent");
            handle.call("Interrupt", "").unwrap();
        });
        assert_eq!(process(&handle, &folder).unwrap_err().code, 301);
    });
    assert_eq!(folder.extensions().join(" "), "sending");
}

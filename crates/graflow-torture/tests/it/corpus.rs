//! What fuzzers began with and what they found: every file is run, each time.

use graflow_torture::fuzzing;

#[test]
fn every_file_of_the_corpus_is_harmless() {
    let corpus = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fuzz/corpus");
    for (name, run) in fuzzing::TARGETS {
        let mut files = 0;
        for file in std::fs::read_dir(format!("{corpus}/{name}")).unwrap() {
            run(&std::fs::read(file.unwrap().path()).unwrap());
            files += 1;
        }
        assert!(files >= 2, "{name} has {files} files");
    }
}

#[test]
fn cut_short_and_overwritten_they_are_harmless_too() {
    let corpus = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fuzz/corpus");
    let mut random = fastrand::Rng::with_seed(1);
    for (name, run) in fuzzing::TARGETS {
        for file in std::fs::read_dir(format!("{corpus}/{name}")).unwrap() {
            let bytes = std::fs::read(file.unwrap().path()).unwrap();
            for _ in 0..8 {
                let mut changed = bytes.clone();
                changed.truncate(random.usize(..=bytes.len()));
                for _ in 0..random.usize(0..4) {
                    if let Some(byte) = changed.get_mut(random.usize(..bytes.len())) {
                        *byte = random.u8(..);
                    }
                }
                run(&changed);
            }
        }
    }
}

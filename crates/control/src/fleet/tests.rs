//! Lines with fake agents at the far ends.

#![expect(clippy::unwrap_used, reason = "tests")]

use ringbolt_core::wire::FailureKind;

use super::*;
use crate::fixture::{Fake, Reaction, facts as empty_facts, name};
use crate::transport::Start;

fn answering(node: &NodeName) -> Reaction {
    Reaction::Say(vec![Say::Facts(Box::new(empty_facts(node.as_str(), "boot1")))])
}

fn fleet(fake: &Arc<Fake>, nodes: &[&str]) -> Fleet {
    let transport: Arc<dyn Transport> = fake.clone();
    Fleet::over(nodes.iter().map(|n| name(n)), transport)
}

#[tokio::test]
async fn one_silent_node_does_not_hide_the_others() {
    let fake = Arc::new(Fake::new(|node, _, _| match node.as_str() {
        "n3" => Reaction::HangUp,
        _ => answering(node),
    }));
    let fleet = fleet(&fake, &["n2", "n3", "n4"]);
    let survey = fleet.facts(&Question::default()).await;
    assert_eq!(survey.fleet.nodes.keys().map(NodeName::as_str).collect::<Vec<_>>(), ["n2", "n4"]);
    assert!(
        matches!(&survey.missing[&name("n3")], Missing::Failed { failure, .. } if failure.kind == FailureKind::Lost)
    );
    assert_eq!(fake.lines.lock().unwrap().values().copied().collect::<Vec<_>>(), [1, 1, 1]);
}

#[tokio::test]
async fn a_missing_agent_is_uploaded_and_the_request_is_not_lost() {
    let fake = Arc::new(Fake::new(|node, _, _| answering(node)));
    fake.troubles.lock().unwrap().push(Trouble::NoAgent);
    let fleet = fleet(&fake, &["n2"]);
    let survey = fleet.facts(&Question::default()).await;
    assert!(survey.missing.is_empty(), "{:?}", survey.missing);
    let starts = fake.starts.lock().unwrap();
    assert_eq!(starts[0], Start::Installed);
    assert!(matches!(&starts[1], Start::Uploaded { nonce } if nonce.len() == 6));
    assert_eq!(starts.len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_connection_closed_early_is_tried_again_and_a_refused_one_is_not() {
    let fake = Arc::new(Fake::new(|node, _, _| answering(node)));
    fake.troubles.lock().unwrap().extend([Trouble::Closed, Trouble::Closed]);
    assert!(fleet(&fake, &["n2"]).facts(&Question::default()).await.missing.is_empty());
    assert_eq!(fake.starts.lock().unwrap().len(), 3);

    let fake = Arc::new(Fake::new(|node, _, _| answering(node)));
    fake.troubles.lock().unwrap().push(Trouble::Refused);
    let survey = fleet(&fake, &["n2"]).facts(&Question::default()).await;
    let missing = &survey.missing[&name("n2")];
    assert!(matches!(missing, Missing::Unreachable(e) if e.trouble == Trouble::Refused));
    assert!(missing.hint().unwrap().contains("sshd") && !missing.is_full());

    let fake = Arc::new(Fake::new(|node, _, _| answering(node)));
    fake.troubles.lock().unwrap().push(Trouble::DiskFull);
    let survey = fleet(&fake, &["n2"]).facts(&Question::default()).await;
    let missing = &survey.missing[&name("n2")];
    assert!(missing.is_full() && missing.hint().unwrap().contains("make room"), "{missing:?}");
    assert_eq!(fake.starts.lock().unwrap().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn fifteen_seconds_without_a_word_are_the_end() {
    let fake = Arc::new(Fake::new(|_, _, _| Reaction::Nothing));
    let fleet = fleet(&fake, &["n2"]);
    fleet.greetings().await[&name("n2")].as_ref().unwrap();
    // Nothing is due: no silence.
    tokio::time::sleep(Duration::from_secs(100)).await;
    let began = tokio::time::Instant::now();
    let failure = fleet.ask(&name("n2"), Ask::Facts { question: Question::default() }).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Lost);
    assert_eq!(began.elapsed().as_secs(), 15);
    assert!(failure.message.contains("15 s"), "{}", failure.message);
}

#[tokio::test(start_paused = true)]
async fn words_on_the_way_are_handed_on() {
    let fake = Arc::new(Fake::new(|node, _, _| {
        let progress = Say::Progress { text: "half".into() };
        Reaction::Say(vec![Say::Alive, progress, Say::Facts(Box::new(empty_facts(node.as_str(), "b")))])
    }));
    let fleet = fleet(&fake, &["n2"]);
    let mut heard = Vec::new();
    let mut pending = fleet.start(&name("n2"), Ask::Facts { question: Question::default() }).unwrap();
    assert!(matches!(pending.wait(|text| heard.push(text)).await.unwrap(), Say::Facts(_)));
    assert_eq!(heard, ["half"]);
}

#[tokio::test]
async fn another_build_is_not_talked_to() {
    let mut fake = Fake::new(|node, _, _| answering(node));
    fake.build = "b2".into();
    let survey = fleet(&Arc::new(fake), &["n2"]).facts(&Question::default()).await;
    assert!(
        matches!(&survey.missing[&name("n2")], Missing::Unreachable(e) if matches!(e.trouble, Trouble::OtherBuild { .. }))
    );
}

#[tokio::test]
async fn a_dropped_question_is_cancelled_on_the_node() {
    let (tell, mut heard) = tokio::sync::mpsc::unbounded_channel();
    let fake = Arc::new(Fake::new(move |_, _, request| {
        tell.send(request.body.clone()).unwrap();
        Reaction::Nothing
    }));
    let fleet = fleet(&fake, &["n2"]);
    fleet.greetings().await;
    drop(fleet.start(&name("n2"), Ask::Facts { question: Question::default() }).unwrap());
    assert!(matches!(heard.recv().await.unwrap(), Ask::Facts { .. }));
    assert_eq!(heard.recv().await.unwrap(), Ask::Cancel { request: 1 });
}

#[tokio::test]
async fn good_bye_is_said_and_a_closed_line_says_so() {
    let (tell, mut heard) = tokio::sync::mpsc::unbounded_channel();
    let fake = Arc::new(Fake::new(move |_, _, request| {
        tell.send(request.body.clone()).unwrap();
        Reaction::HangUp
    }));
    let fleet = fleet(&fake, &["n2"]);
    fleet.greetings().await;
    fleet.close().await;
    assert_eq!(heard.recv().await.unwrap(), Ask::Bye);
    let failure = fleet.ask(&name("n2"), Ask::Bye).await.unwrap_err();
    assert!(failure.message.contains("closed"), "{}", failure.message);
    let failure = fleet.ask(&name("n9"), Ask::Bye).await.unwrap_err();
    assert!(failure.message.contains("no such node"), "{}", failure.message);
}

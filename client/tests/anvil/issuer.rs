//! An issuer's acts on a real chain, through the command line.

use crate::scene::Scene;

#[tokio::test]
async fn an_issuer_appoints_dismisses_and_hands_over() {
    let Some(scene) = Scene::set().await else { return };
    let operator = scene.run("key address --key-file $KEY1").out.trim().to_owned();

    // Written out, because that is how people do it.
    let appoint = format!("issuer appoint {operator} --roles anchor,revoke --expires 90d --rpc $RPC --key-file $KEY0");
    let appointed = scene.run(&appoint);
    assert_eq!(appointed.code, Some(0), "{appointed:?}");
    assert!(appointed.out.contains("✓ done in block") && appointed.out.contains("(anchor, revoke)"), "{appointed:?}");

    let listed = scene.run("issuer operators --issuer $ISSUER --rpc $RPC --json").json();
    assert_eq!(
        (&listed["operator"], &listed["roles"]),
        (&operator.as_str().into(), &serde_json::json!(["anchor", "revoke"]))
    );

    // An operator is no controller.
    let usurped = scene.run(&format!("issuer dismiss {operator} --issuer $ISSUER --rpc $RPC --key-file $KEY1"));
    assert!(usurped.code == Some(1) && usurped.err.contains("Use the key of the issuer's controller"), "{usurped:?}");

    assert_eq!(scene.run(&format!("issuer dismiss {operator} --rpc $RPC --key-file $KEY0")).code, Some(0));
    assert!(scene.run("issuer operators --issuer $ISSUER --rpc $RPC").out.contains("has no operators"));

    // Control goes over in two steps.
    let early = scene.run("issuer controller accept --issuer $ISSUER --rpc $RPC --key-file $KEY1");
    assert!(early.code == Some(1) && early.err.contains("controller propose"), "{early:?}");
    assert_eq!(scene.run(&format!("issuer controller propose {operator} --rpc $RPC --key-file $KEY0")).code, Some(0));
    let proposed = scene.run("issuer show --rpc $RPC --key-file $KEY0 --json").json();
    assert_eq!(proposed["proposed"], operator.as_str());
    assert_eq!(scene.run("issuer controller accept --issuer $ISSUER --rpc $RPC --key-file $KEY1").code, Some(0));
    let shown = scene.run("issuer show --issuer $ISSUER --rpc $RPC --json").json();
    assert_eq!((&shown["controller"], &shown["proposed"]), (&operator.as_str().into(), &serde_json::Value::Null));
}

#[tokio::test]
async fn the_registry_is_deployed_once() {
    let Some(scene) = Scene::set().await else { return };
    let again = scene.run("registry deploy --rpc $RPC --key-file $KEY0 --json");
    assert_eq!((again.code, &again.json()["deployed"]), (Some(0), &false.into()), "{again:?}");
    assert_eq!(scene.run("registry show --rpc $RPC").code, Some(0));
    let elsewhere = format!("0x{}", "11".repeat(20));
    assert_eq!(scene.run(&format!("registry show --rpc $RPC --registry {elsewhere}")).code, Some(1));
    let acting = scene.run(&format!("issuer show --rpc $RPC --key-file $KEY0 --registry {elsewhere}"));
    assert!(acting.code == Some(1) && acting.err.contains("no code"), "{acting:?}");
    assert_eq!(scene.run("registry show --rpc http://127.0.0.1:1").code, Some(2));
}

"""What drivers and operators ask a server about itself; holds for the stand-in and a real one alike."""

import bson
import pymongo
import pytest
from pymongo.collection import Collection
from pymongo.errors import OperationFailure

pytestmark = pytest.mark.conformance


def test_hello_names_a_writable_primary_of_a_set(client: pymongo.MongoClient) -> None:
    for name in ("hello", "isMaster"):
        hello = client.admin.command(name)
        assert hello.get("isWritablePrimary", hello.get("ismaster")) is True
        assert hello["setName"]
        assert hello["me"] in hello["hosts"]
        assert hello["maxWireVersion"] >= 9


def test_the_small_commands_answer(client: pymongo.MongoClient) -> None:
    assert client.admin.command("ping")["ok"] == 1
    assert client.server_info()["versionArray"][0] >= 5
    assert client.admin.command("serverStatus")["uptime"] >= 0
    assert client.admin.command("connectionStatus")["authInfo"]["authenticatedUsers"] == []
    assert "127.0.0.1" in client.admin.command("whatsmyuri")["you"]
    parameter = client.admin.command("getParameter", featureCompatibilityVersion=1)
    assert parameter["featureCompatibilityVersion"]["version"]


def test_the_compatibility_version_is_of_this_series_or_the_one_before(client: pymongo.MongoClient) -> None:
    major = client.server_info()["versionArray"][0]
    before = client.admin.command("getParameter", featureCompatibilityVersion=1)
    known = before["featureCompatibilityVersion"]["version"]

    far = client.admin.command("setFeatureCompatibilityVersion", f"{major - 2}.0", confirm=True, check=False)
    assert (far["ok"], far["codeName"]) == (0, "BadValue")
    if major >= 7:
        silent = client.admin.command("setFeatureCompatibilityVersion", f"{major}.0", check=False)
        assert (silent["ok"], silent["code"]) == (0, 7369100)
    more = {"confirm": True} if major >= 7 else {}
    assert client.admin.command("setFeatureCompatibilityVersion", known, **more)["ok"] == 1
    now = client.admin.command("getParameter", featureCompatibilityVersion=1)
    assert now["featureCompatibilityVersion"]["version"] == known


def test_the_set_has_one_primary_and_is_not_initiated_twice(client: pymongo.MongoClient) -> None:
    status = client.admin.command("replSetGetStatus")
    assert [m["stateStr"] for m in status["members"]] == ["PRIMARY"]
    assert client.admin.command("replSetGetConfig")["config"]["_id"] == status["set"]
    again = [client.admin.command("replSetInitiate", {"_id": status["set"]}, check=False) for _ in range(2)][
        -1
    ]
    assert (again["ok"], again["code"], again["codeName"]) == (0, 23, "AlreadyInitialized")


def test_an_unknown_command_is_named(client: pymongo.MongoClient) -> None:
    with pytest.raises(OperationFailure, match="no such command: 'besedka'") as refused:
        client.admin.command("besedka")
    assert refused.value.code == 59
    assert refused.value.details is not None
    assert refused.value.details["codeName"] == "CommandNotFound"


def test_an_unknown_field_of_a_command_is_named(client: pymongo.MongoClient, things: Collection) -> None:
    with pytest.raises(OperationFailure, match="besedka"):
        things.database.command("find", "things", besedka=1)
    with pytest.raises(OperationFailure, match="besedka"):
        client.admin.command("ping", besedka=1)
    with pytest.raises(OperationFailure):
        client.admin.command("getParameter", besedka=1)


def test_databases_and_collections_come_and_go(client: pymongo.MongoClient) -> None:
    database = client["besedka_contract_gone"]
    database.create_collection("empty")
    database["full"].insert_one({})
    database["full"].delete_many({})
    assert sorted(database.list_collection_names()) == ["empty", "full"]
    assert [c["name"] for c in database.list_collections(filter={"name": "full"})] == ["full"]
    assert "besedka_contract_gone" in client.list_database_names()
    with pytest.raises(OperationFailure) as refused:
        database.command("create", "empty")
    assert refused.value.code == 48
    database["full"].drop()
    assert database.list_collection_names() == ["empty"]
    client.drop_database("besedka_contract_gone")
    assert "besedka_contract_gone" not in client.list_database_names()


def test_sessions_are_accepted(client: pymongo.MongoClient, things: Collection) -> None:
    with client.start_session() as session:
        things.insert_one({"_id": 1}, session=session)
        assert things.find_one({"_id": 1}, session=session) == {"_id": 1}


def test_a_repeated_write_is_answered_and_not_done_again(
    client: pymongo.MongoClient, things: Collection
) -> None:
    things.insert_one({"_id": 1, "n": 0})
    with client.start_session() as session:
        statement = {"q": {"_id": 1}, "u": {"$inc": {"n": 1}}}
        for _ in range(2):
            reply = things.database.command(
                {"update": "things", "updates": [statement], "txnNumber": bson.Int64(1)}, session=session
            )
            assert reply["nModified"] == 1
    assert things.find_one() == {"_id": 1, "n": 1}

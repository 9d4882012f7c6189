#include "api/service.h"

#include "world.h"

namespace sheaf::api {
namespace {

const std::string volumes = "/apis/sheaf.io/v1/namespaces/default/volumes";
const std::string secrets = "/api/v1/namespaces/default/secrets";

std::string volume(std::string_view name, std::string_view more = {}) {
    return fmt::format(
        R"({{"apiVersion":"sheaf.io/v1","kind":"Volume","metadata":{{"name":"{}"{}}},)"
        R"("spec":{{"size":"1Gi"}}}})",
        name, more);
}

using Api = ApiWorld;

TEST_F(Api, AnObjectIsMadeReadAndListed) {
    const auto made = ask("POST", volumes, volume("a"));
    EXPECT_EQ(made.status, 201u) << made.text;
    const auto read = ask("GET", volumes + "/a");
    EXPECT_EQ(read.status, 200u);
    EXPECT_EQ(read.body, made.body);
    EXPECT_EQ(read.body.text_at({"apiVersion"}), "sheaf.io/v1");
    EXPECT_EQ(read.body.text_at({"metadata", "namespace"}), "default");
    EXPECT_EQ(read.body.text_at({"metadata", "creationTimestamp"}), "2027-01-15T08:00:00Z");
    EXPECT_EQ(read.body.text_at({"metadata", "uid"}).size(), 36u);
    EXPECT_EQ(read.body.at({"metadata", "generation"})->integer(), 1);
    const auto listed = ask("GET", "/apis/sheaf.io/v1/volumes");
    EXPECT_EQ(listed.body.text_at({"kind"}), "VolumeList");
    ASSERT_EQ(listed.body.find("items")->array()->size(), 1u);
    EXPECT_EQ(listed.body.find("items")->array()->front(), read.body);
    EXPECT_EQ(ask("POST", volumes, volume("a")).body.text_at({"reason"}), "AlreadyExists");
}

TEST_F(Api, WhatIsNotThereIsSaidAsKubernetesDoes) {
    const auto missing = ask("GET", volumes + "/none");
    EXPECT_EQ(missing.status, 404u);
    EXPECT_EQ(missing.body.text_at({"message"}), "volumes.sheaf.io \"none\" not found");
    EXPECT_EQ(missing.body.text_at({"details", "kind"}), "volumes");
    EXPECT_EQ(ask("GET", "/apis/sheaf.io/v1/things").status, 404u);
    EXPECT_EQ(ask("GET", "/apis/sheaf.io/v2/volumes").status, 404u);
    EXPECT_EQ(ask("GET", volumes + "/a/scale").status, 404u);
    EXPECT_EQ(ask("GET", volumes + "/..%2fa").status, 400u);
    EXPECT_EQ(ask("GET", volumes + "/A_B").status, 404u);
    EXPECT_EQ(ask("PUT", volumes).status, 405u);
    EXPECT_EQ(ask("DELETE", "/apis/sheaf.io/v1/volumes").status, 405u);
    EXPECT_EQ(ask("DELETE", "/api/v1/namespaces").status, 405u);
    EXPECT_EQ(ask("POST", "/apis").status, 405u);
    EXPECT_EQ(ask("POST", "/apis/sheaf.io/v1/namespaces/none/volumes", volume("a")).status, 404u);
    EXPECT_EQ(ask("POST", volumes, volume("a"), {{"Content-Type", "application/yaml"}}).status,
              415u);
    EXPECT_EQ(ask("GET", volumes, {}, {{"Accept", "text/html"}}).status, 406u);
    EXPECT_EQ(ask("POST", volumes, "{").status, 400u);
}

TEST_F(Api, UnknownFieldsAreRefusedByTheirPathUnlessTheClientWillsOtherwise) {
    const std::string body =
        R"({"metadata":{"name":"a"},"spec":{"size":"1Gi","turbo":true,"source":{"x":1}}})";
    const auto refused = ask("POST", volumes, body);
    EXPECT_EQ(refused.status, 400u);
    EXPECT_EQ(refused.body.text_at({"message"}),
              "strict decoding error: unknown field \"spec.turbo\" (there are size, replicas, "
              "source), unknown field \"spec.source.x\" (there are image, snapshot, volume)");
    EXPECT_EQ(ask("POST", volumes + "?fieldValidation=Warn", body).status, 201u);
    EXPECT_FALSE(ask("GET", volumes + "/a").body.at({"spec", "turbo"}));
}

TEST_F(Api, MistakesAreAllNamed) {
    const auto refused = ask("POST", volumes,
                             R"({"metadata":{"name":"A","labels":{"-":"x"}},)"
                             R"("spec":{"size":"big","replicas":3}})");
    EXPECT_EQ(refused.status, 422u);
    const auto* causes = refused.body.at({"details", "causes"})->array();
    std::vector<std::string_view> fields;
    for (const auto& cause : *causes) fields.push_back(cause.text_at({"field"}));
    EXPECT_EQ(fields, (std::vector<std::string_view>{"spec.size", "spec.replicas", "metadata.name",
                                                     "metadata.labels"}));
}

TEST_F(Api, AnUpdateNeedsTheStateThatItNames) {
    auto object = ask("POST", volumes, volume("a")).body;
    object["spec"]["size"] = "2Gi";
    const auto first = ask("PUT", volumes + "/a", object.text());
    EXPECT_EQ(first.status, 200u) << first.text;
    EXPECT_EQ(first.body.at({"metadata", "generation"})->integer(), 2);
    const auto second = ask("PUT", volumes + "/a", object.text());
    EXPECT_EQ(second.status, 409u);
    EXPECT_EQ(second.body.text_at({"reason"}), "Conflict");
    // The same once more makes no revision.
    const auto again = ask("PUT", volumes + "/a", first.text);
    EXPECT_EQ(again.body, first.body);
}

TEST_F(Api, TheServersOwnStays) {
    auto object = ask("POST", volumes, volume("a", R"(,"uid":"mine","generation":9)")).body;
    EXPECT_NE(object.text_at({"metadata", "uid"}), "mine");
    object["metadata"].erase("uid");
    object["metadata"]["creationTimestamp"] = "1999-01-01T00:00:00Z";
    object["metadata"]["managedFields"] = Json::Array{};
    object["status"] = Json::object({{"phase", "Ready"}});
    const auto after = ask("PUT", volumes + "/a", object.text()).body;
    EXPECT_EQ(after.text_at({"metadata", "creationTimestamp"}), "2027-01-15T08:00:00Z");
    EXPECT_FALSE(after.find("status"));
    EXPECT_FALSE(after.at({"metadata", "managedFields"}));
    EXPECT_EQ(after.at({"metadata", "generation"})->integer(), 1);
    auto reborn = after;
    reborn["metadata"]["uid"] = "00000000-0000-4000-8000-000000000000";
    EXPECT_EQ(ask("PUT", volumes + "/a", reborn.text()).status, 409u);
}

TEST_F(Api, StatusIsWrittenByItsSubresourceAlone) {
    auto object = ask("POST", volumes, volume("a")).body;
    object["status"] = Json::object({{"phase", "Ready"}});
    object["spec"]["size"] = "9Gi";
    const auto after = ask("PUT", volumes + "/a/status", object.text()).body;
    EXPECT_EQ(after.text_at({"status", "phase"}), "Ready");
    EXPECT_EQ(after.text_at({"spec", "size"}), "1Gi");
    EXPECT_EQ(after.at({"metadata", "generation"})->integer(), 1);
}

TEST_F(Api, PatchesOfEachForm) {
    ask("POST", volumes, volume("a"));
    EXPECT_EQ(patch(volumes + "/a", "merge-patch+json", R"({"metadata":{"labels":{"x":"y"}}})")
                  .body.text_at({"metadata", "labels", "x"}),
              "y");
    EXPECT_EQ(patch(volumes + "/a", "json-patch+json",
                    R"([{"op":"test","path":"/spec/size","value":"1Gi"},)"
                    R"({"op":"replace","path":"/spec/size","value":"3Gi"}])")
                  .body.text_at({"spec", "size"}),
              "3Gi");
    EXPECT_EQ(patch(volumes + "/a", "json-patch+json",
                    R"([{"op":"test","path":"/spec/size","value":"1Gi"}])")
                  .status,
              422u);
    EXPECT_EQ(patch(volumes + "/a", "strategic-merge-patch+json", "{}").status, 415u);
    EXPECT_EQ(patch(volumes + "/a", "merge-patch+json", R"({"metadata":{"name":"b"}})").status,
              400u);
    EXPECT_EQ(
        patch(volumes + "/a", "merge-patch+json", R"({"metadata":{"resourceVersion":"1"}})").status,
        409u);
    ask("POST", secrets, R"({"metadata":{"name":"s"},"stringData":{"k":"v"}})");
    EXPECT_EQ(patch(secrets + "/s", "strategic-merge-patch+json", R"({"data":{"l":"dg=="}})")
                  .body.text_at({"data", "k"}),
              "dg==");
    EXPECT_EQ(
        patch(secrets + "/s", "strategic-merge-patch+json", R"({"data":{"$patch":"replace"}})")
            .status,
        415u);
}

TEST_F(Api, ATrialChangesNothing) {
    EXPECT_EQ(ask("POST", volumes + "?dryRun=All", volume("a")).status, 201u);
    EXPECT_EQ(ask("GET", volumes + "/a").status, 404u);
    ask("POST", volumes, volume("a"));
    EXPECT_EQ(ask("DELETE", volumes + "/a?dryRun=All").status, 200u);
    EXPECT_EQ(ask("DELETE", volumes + "/a", R"({"dryRun":["All"]})").status, 200u);
    EXPECT_EQ(ask("GET", volumes + "/a").status, 200u);
    EXPECT_EQ(ask("POST", volumes + "?dryRun=Some", volume("b")).status, 400u);
}

TEST_F(Api, AnEndIsHeldUpByFinalizers) {
    ask("POST", volumes, volume("a", R"(,"finalizers":["example.org/x"])"));
    const auto ending = ask("DELETE", volumes + "/a");
    EXPECT_FALSE(ending.body.text_at({"metadata", "deletionTimestamp"}).empty());
    EXPECT_EQ(patch(volumes + "/a", "merge-patch+json",
                    R"({"metadata":{"finalizers":["example.org/y"]}})")
                  .status,
              422u);
    EXPECT_EQ(ask("GET", volumes + "/a").status, 200u);
    patch(volumes + "/a", "merge-patch+json", R"({"metadata":{"finalizers":null}})");
    EXPECT_EQ(ask("GET", volumes + "/a").status, 404u);
}

TEST_F(Api, DeletionKeepsItsPreconditions) {
    const auto made = ask("POST", volumes, volume("a"));
    EXPECT_EQ(ask("DELETE", volumes + "/a", R"({"preconditions":{"uid":"other"}})").status, 409u);
    const auto uid = made.body.text_at({"metadata", "uid"});
    const auto gone =
        ask("DELETE", volumes + "/a", fmt::format(R"({{"preconditions":{{"uid":"{}"}}}})", uid));
    EXPECT_EQ(gone.status, 200u);
    EXPECT_EQ(gone.body.text_at({"status"}), "Success");
}

TEST_F(Api, NamesAreMade) {
    const std::string body = R"({"metadata":{"generateName":"a-"},"spec":{"size":"1Gi"}})";
    const auto one = ask("POST", volumes, body);
    const auto two = ask("POST", volumes, body);
    EXPECT_EQ(one.body.text_at({"metadata", "name"}).size(), 7u) << one.text;
    EXPECT_NE(one.body.text_at({"metadata", "name"}), two.body.text_at({"metadata", "name"}));
}

TEST_F(Api, PagesAreOfOneRevision) {
    for (const auto* name : {"a", "b", "c", "d", "e"})
        ask("POST", volumes, volume(name, R"(,"labels":{"l":"x"})"));
    const auto first = ask("GET", volumes + "?limit=2&labelSelector=l%3Dx");
    EXPECT_EQ(first.body.find("items")->array()->size(), 2u);
    ask("DELETE", volumes + "/c");
    ask("POST", volumes, volume("f"));
    const auto token = std::string{first.body.text_at({"metadata", "continue"})};
    const auto second = ask("GET", volumes + "?limit=9&continue=" + token);
    const auto* items = second.body.find("items")->array();
    ASSERT_EQ(items->size(), 3u);
    EXPECT_EQ(items->front().text_at({"metadata", "name"}), "c");
    EXPECT_TRUE(second.body.text_at({"metadata", "continue"}).empty());
    EXPECT_EQ(ask("GET", volumes + "?continue=" + token.substr(4)).status, 400u);
    EXPECT_EQ(ask("GET", secrets + "?continue=" + token).status, 400u);
    EXPECT_TRUE(io::run(*loop_, kv_.compact(store_.revision())));
    const auto late = ask("GET", volumes + "?limit=9&continue=" + token);
    EXPECT_EQ(late.status, 410u);
    EXPECT_EQ(late.body.text_at({"reason"}), "Expired");
}

TEST_F(Api, TablesAreForPeople) {
    ask("POST", volumes, volume("a"));
    clock_.pass(std::chrono::minutes{5});
    const std::vector<http::Header> accept{
        {"Accept", "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"}};
    const auto table = ask("GET", volumes, {}, accept);
    EXPECT_EQ(table.body.text_at({"kind"}), "Table");
    const auto& row = table.body.find("rows")->array()->front();
    EXPECT_EQ(row.find("cells")->text(), R"(["a","","","","","5m"])");
    EXPECT_EQ(row.text_at({"object", "kind"}), "PartialObjectMetadata");
    EXPECT_EQ(ask("GET", volumes + "/a", {}, accept).body.text_at({"kind"}), "Table");
}

TEST_F(Api, ANamespaceTakesItsContentWithIt) {
    ask("POST", "/api/v1/namespaces", R"({"metadata":{"name":"n"}})");
    const std::string inside = "/apis/sheaf.io/v1/namespaces/n/volumes";
    ask("POST", inside, volume("a"));
    ask("POST", inside, volume("b", R"(,"finalizers":["example.org/x"])"));
    EXPECT_EQ(ask("DELETE", "/api/v1/namespaces/n").body.text_at({"status", "phase"}),
              "Terminating");
    EXPECT_EQ(ask("POST", inside, volume("c")).status, 403u);
    sweep();
    EXPECT_EQ(ask("GET", inside + "/a").status, 404u);
    EXPECT_EQ(ask("GET", "/api/v1/namespaces/n").status, 200u);
    patch(inside + "/b", "merge-patch+json", R"({"metadata":{"finalizers":null}})");
    sweep();
    EXPECT_EQ(ask("GET", "/api/v1/namespaces/n").status, 404u);
    EXPECT_EQ(ask("DELETE", "/api/v1/namespaces/default").status, 403u);
}

TEST_F(Api, ACollectionIsDeletedByWhatIsSelected) {
    ask("POST", volumes, volume("a", R"(,"labels":{"l":"x"})"));
    ask("POST", volumes, volume("b", R"(,"labels":{"l":"x"},"finalizers":["example.org/x"])"));
    ask("POST", volumes, volume("c"));
    const auto trial = ask("DELETE", volumes + "?labelSelector=l%3Dx&dryRun=All");
    EXPECT_EQ(trial.body.find("items")->array()->size(), 2u) << trial.text;
    EXPECT_EQ(ask("GET", volumes + "/a").status, 200u);
    const auto gone = ask("DELETE", volumes + "?labelSelector=l%3Dx");
    EXPECT_EQ(gone.status, 200u);
    EXPECT_EQ(gone.body.text_at({"kind"}), "VolumeList");
    EXPECT_EQ(ask("GET", volumes + "/a").status, 404u);
    const auto held = ask("GET", volumes + "/b").body;
    EXPECT_FALSE(held.text_at({"metadata", "deletionTimestamp"}).empty());
    EXPECT_EQ(ask("GET", volumes + "/c").status, 200u);
}

TEST_F(Api, NobodyIsAnsweredAndWhoMayNotIsToldWhat) {
    peer_ = {};
    EXPECT_EQ(ask("GET", volumes).status, 401u);
    EXPECT_EQ(ask("GET", "/apis").status, 401u);
    EXPECT_EQ(ask("GET", "/no/such/path").status, 401u);
    EXPECT_EQ(ask("GET", "/healthz").text, "ok");
    peer_ = {{}, io::TlsSubject{"eve", {"system:readers"}}};
    EXPECT_EQ(ask("GET", volumes).status, 200u);
    const auto refused = ask("POST", volumes, volume("a"));
    EXPECT_EQ(refused.status, 403u);
    EXPECT_EQ(refused.body.text_at({"message"}),
              "volumes.sheaf.io is forbidden: User \"eve\" cannot create resource \"volumes\" in "
              "API group \"sheaf.io\" in the namespace \"default\"");
    EXPECT_EQ(ask("GET", secrets).status, 403u);
}

TEST_F(Api, WhatIsOfferedIsPublished) {
    EXPECT_EQ(ask("GET", "/healthz").text, "ok");
    EXPECT_EQ(ask("GET", "/version").body.text_at({"major"}), "1");
    EXPECT_EQ(ask("GET", "/apis").body.find("groups")->array()->size(), 4u);
    EXPECT_EQ(ask("GET", "/api/v1").body.text_at({"groupVersion"}), "v1");
    EXPECT_EQ(ask("GET", "/apis/kubevirt.io/v1").body.find("resources")->array()->size(), 4u);
    EXPECT_EQ(ask("GET", "/apis/none").status, 404u);
    EXPECT_EQ(ask("GET", "/openapi/v3/apis/kubevirt.io/v1").body.text_at({"openapi"}), "3.0.0");
    EXPECT_EQ(ask("GET", "/openapi/v3/apis/none/v1").status, 404u);
}

}  // namespace
}  // namespace sheaf::api

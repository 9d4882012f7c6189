#include "cli/resource.h"

#include <gtest/gtest.h>

namespace sheaf::cli {
namespace {

Resources known() {
    Resources resources;
    EXPECT_TRUE(resources.add(*Json::parse(
        R"({"groupVersion":"v1","resources":[{"name":"namespaces","singularName":"namespace",)"
        R"("kind":"Namespace","namespaced":false,"shortNames":["ns"]}]})")));
    EXPECT_TRUE(resources.add(*Json::parse(
        R"({"groupVersion":"kubevirt.io/v1","resources":[{"name":"virtualmachines","singularName":)"
        R"("virtualmachine","kind":"VirtualMachine","namespaced":true,"shortNames":["vm","vms"]},)"
        R"({"name":"virtualmachines/status","kind":"VirtualMachine","namespaced":true}]})")));
    return resources;
}

TEST(Resources, AreFoundByAnyOfTheirNames) {
    const auto resources = known();
    EXPECT_EQ(resources.all().size(), 2U);
    for (const auto* word : {"vm", "VM", "virtualmachine", "VirtualMachine", "virtualmachines",
                             "virtualmachines.kubevirt.io"})
        EXPECT_EQ(resources.named(word)->plural, "virtualmachines") << word;
    EXPECT_EQ(resources.named("pods").error().text(),
              "the server has no kind \"pods\" (it has namespaces, virtualmachines)");
}

TEST(Resources, HavePaths) {
    const auto resources = known();
    const auto machine = *resources.named("vm");
    EXPECT_EQ(machine.path("default", "a/b"),
              "/apis/kubevirt.io/v1/namespaces/default/virtualmachines/a%2Fb");
    EXPECT_EQ(machine.path(""), "/apis/kubevirt.io/v1/virtualmachines");
    EXPECT_EQ(machine.title("web"), "virtualmachine.kubevirt.io/web");
    EXPECT_EQ(resources.named("ns")->path("ignored", "x"), "/api/v1/namespaces/x");
    EXPECT_EQ(resources.named("ns")->title("x"), "namespace/x");
}

TEST(Resources, AreThoseOfADocument) {
    const auto resources = known();
    const auto of = [&](std::string_view text) {
        return resources.of_document(*Json::parse(text));
    };
    EXPECT_EQ(of(R"({"apiVersion":"v1","kind":"Namespace"})")->plural, "namespaces");
    EXPECT_EQ(of(R"({"kind":"Namespace"})").error().text(), "it has no apiVersion");
    EXPECT_EQ(of(R"([1])").error().text(), "an array is no object of the API");
    EXPECT_EQ(of(R"({"apiVersion":"v2","kind":"Namespace"})").error().kind(), Kind::not_found);
}

TEST(Resources, OfAStrangeServerAreRefused) {
    Resources resources;
    EXPECT_FALSE(resources.add(*Json::parse(R"({"resources":[]})")));
    EXPECT_FALSE(resources.add(*Json::parse(R"({"groupVersion":"v1","resources":{}})")));
}

}  // namespace
}  // namespace sheaf::cli

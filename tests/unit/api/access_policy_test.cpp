#include "api/access_policy.h"

#include <gtest/gtest.h>

namespace sheaf::api {
namespace {

// The token is "open sesame".
constexpr std::string_view written = R"({
    "tokens": [{"sha256": "41ef4bb0b23661e66301aac36066912dac037827b4ae63a7b1165a5aa93ed4eb",
                "user": "ci", "groups": ["builders"]}],
    "bindings": [{"role": "editor", "groups": ["builders"], "namespaces": ["a", "b"]},
                 {"role": "viewer", "users": ["eve"]},
                 {"role": "admin", "users": ["ann"], "namespaces": ["a"]}]})";

AccessPolicy policy() {
    return AccessPolicy::parse(written).value();
}

Deed deed(std::string_view verb, std::string_view resource, std::string_view name_space) {
    return {.verb = verb, .group = {}, .resource = resource, .name_space = name_space};
}

TEST(AccessPolicies, ATokenIsItsOwnersAndNobodyElses) {
    const auto owner = policy().owner_of("open sesame");
    ASSERT_TRUE(owner);
    EXPECT_EQ(owner->name, "ci");
    EXPECT_EQ(owner->groups, std::vector<std::string>{"builders"});
    for (const auto* token : {"", "open sesame ", "open sesam",
                              "41ef4bb0b23661e66301aac36066912dac037827b4ae63a7b1165a5aa93ed4eb"})
        EXPECT_FALSE(policy().owner_of(token)) << token;
}

TEST(AccessPolicies, ARoleIsOfItsNamespaces) {
    const User editor{"ci", {"builders"}};
    EXPECT_EQ(policy().role_of(editor, "a"), Role::editor);
    EXPECT_EQ(policy().role_of(editor, "c"), std::nullopt);
    EXPECT_EQ(policy().role_of(editor, ""), std::nullopt);
    EXPECT_EQ(policy().role_of({"eve", {}}, ""), Role::viewer);
    EXPECT_EQ(policy().role_of({"root", {"system:masters"}}, ""), Role::admin);
    EXPECT_EQ(policy().role_of({"someone", {}}, "a"), std::nullopt);
    EXPECT_TRUE(policy().allows(editor, deed("create", "volumes", "a")));
    EXPECT_FALSE(policy().allows(editor, deed("create", "volumes", "c")));
    EXPECT_FALSE(policy().allows(editor, deed("list", "volumes", "")));
}

TEST(AccessPolicies, SecretsAreNotForViewers) {
    const User viewer{"eve", {}};
    EXPECT_TRUE(policy().allows(viewer, deed("list", "volumes", "")));
    for (const auto* verb : {"get", "list", "watch", "update"})
        EXPECT_FALSE(policy().allows(viewer, deed(verb, "secrets", "a"))) << verb;
    EXPECT_FALSE(policy().allows({"reader", {"system:readers"}}, deed("get", "secrets", "a")));
    EXPECT_TRUE(policy().allows({"reader", {"system:readers"}}, deed("get", "volumes", "a")));
    EXPECT_TRUE(policy().allows({"ci", {"builders"}}, deed("get", "secrets", "a")));
}

TEST(AccessPolicies, WhatOnlyAnAdminMayIsNotForEditors) {
    const User editor{"ci", {"builders"}};
    const User admin{"ann", {}};
    auto status = deed("update", "volumes", "a");
    status.subresource = "status";
    EXPECT_FALSE(policy().allows(editor, status));
    EXPECT_TRUE(policy().allows(admin, status));
    auto node = deed("update", "nodes", "");
    node.namespaced = false;
    EXPECT_FALSE(policy().allows(admin, node));
    EXPECT_TRUE(policy().allows({"root", {"system:masters"}}, node));
}

TEST(AccessPolicies, AConsoleIsMoreThanALook) {
    Deed console{.verb = "get",
                 .group = "subresources.kubevirt.io",
                 .resource = "virtualmachineinstances",
                 .subresource = "console",
                 .name_space = "a"};
    EXPECT_FALSE(policy().allows({"eve", {}}, console));
    EXPECT_TRUE(policy().allows({"ci", {"builders"}}, console));
}

TEST(AccessPolicies, ANamespaceIsSeenByWhoIsLetIntoIt) {
    auto look = deed("get", "namespaces", "");
    look.namespaced = false;
    look.name = "b";
    EXPECT_TRUE(policy().allows({"ci", {"builders"}}, look));
    look.verb = "delete";
    EXPECT_FALSE(policy().allows({"ci", {"builders"}}, look));
    look.verb = "get";
    look.name = "c";
    EXPECT_FALSE(policy().allows({"ci", {"builders"}}, look));
}

TEST(AccessPolicies, AMistakeIsNamedByItsPlace) {
    const auto refused = [](std::string_view text, std::string_view place) {
        const auto parsed = AccessPolicy::parse(text);
        ASSERT_FALSE(parsed) << text;
        EXPECT_EQ(parsed.error().kind(), Kind::invalid);
        EXPECT_NE(parsed.error().text().find(place), std::string::npos) << parsed.error().text();
    };
    refused(R"({"token": []})", "token");
    refused(R"({"tokens": [{"sha256": "ab", "user": "a"}]})", "/tokens/0/sha256");
    refused(R"({"bindings": [{"role": "owner", "users": ["a"]}]})", "/bindings/0/role");
    refused(R"({"bindings": [{"role": "admin"}]})", "/bindings/0");
    refused(R"({"bindings": [{"role": "admin", "users": ["a"], "namespaces": ["A/B"]}]})",
            "/bindings/0/namespaces");
    refused("{", "");
}

TEST(AccessPolicies, ARefusalSaysWhoWantedWhat) {
    EXPECT_EQ(refusal_of({"eve", {}}, deed("delete", "volumes", "a")),
              "volumes is forbidden: User \"eve\" cannot delete resource \"volumes\" in API group "
              "\"\" in the namespace \"a\"");
}

}  // namespace
}  // namespace sheaf::api

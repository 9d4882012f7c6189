#include "api/protobuf_body.h"

#include <gtest/gtest.h>

#include "api/kinds.h"

namespace sheaf::api {
namespace {

std::string field(unsigned number, std::string_view bytes) {
    std::string made{static_cast<char>(number << 3 | 2)};
    made += static_cast<char>(bytes.size());
    return made + std::string{bytes};
}

std::string envelope(std::string_view kind, std::string_view object) {
    return std::string{"k8s\0", 4} + field(1, field(1, "v1") + field(2, kind)) + field(2, object) +
           field(3, "") + field(4, "");
}

std::string entry(std::string_view name, std::string_view value) {
    return field(1, name) + field(2, value);
}

TEST(ProtobufBodies, ANamespaceAsKubectlSendsIt) {
    const auto metadata = field(1, "n") + field(2, "") + field(8, "") + field(11, entry("a", "b"));
    const auto object = object_of_protobuf(
        envelope("Namespace", field(1, metadata) + field(2, "") + field(3, "")), namespace_kind);
    ASSERT_TRUE(object) << object.error().body;
    EXPECT_EQ(
        object->text(),
        R"({"metadata":{"name":"n","labels":{"a":"b"}},"apiVersion":"v1","kind":"Namespace"})");
}

TEST(ProtobufBodies, ASecretWithBytes) {
    const auto secret = field(1, field(1, "s")) + field(2, entry("k", std::string{"\0\xff", 2})) +
                        field(3, "Opaque") + std::string{"\x28\x01"};
    const auto object = object_of_protobuf(envelope("Secret", secret), secret_kind);
    ASSERT_TRUE(object) << object.error().body;
    EXPECT_EQ(object->text_at({"data", "k"}), "AP8=");
    EXPECT_EQ(object->text_at({"type"}), "Opaque");
    EXPECT_EQ(*object->at({"immutable"})->boolean(), true);
}

TEST(ProtobufBodies, WhatWouldBeLostIsRefusedByItsField) {
    const auto owned = field(1, field(1, "s") + field(13, "x"));
    const auto refused = object_of_protobuf(envelope("Secret", owned), secret_kind);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().status, 400u);
    EXPECT_NE(refused.error().body.find("field 13 of metadata"), std::string::npos);
    EXPECT_EQ(object_of_protobuf(envelope("Volume", ""), volume_kind).error().status, 415u);
}

TEST(ProtobufBodies, WhatIsNoneIsRefusedHoweverItIsCut) {
    const auto whole = envelope("Secret", field(1, field(1, "s")) + field(2, entry("k", "v")));
    for (std::size_t size = 0; size < whole.size() - 4; ++size) {
        const auto cut = object_of_protobuf(whole.substr(0, size), secret_kind);
        // Between two fields it is whole again.
        if (!cut) {
            EXPECT_EQ(cut.error().status, 400u);
        }
    }
    EXPECT_FALSE(object_of_protobuf("{}", secret_kind));
    EXPECT_FALSE(object_of_protobuf(envelope("Secret", field(1, field(1, "\xff"))), secret_kind));
    EXPECT_FALSE(object_of_protobuf(std::string{"k8s\0\x0b", 5}, secret_kind));
}

}  // namespace
}  // namespace sheaf::api

#include "api/openapi.h"

#include <algorithm>

#include <gtest/gtest.h>

#include "api/kind.h"

namespace sheaf::api {
namespace {

// Every "$ref" below a document.
void references(const Json& document, std::vector<std::string>& found) {
    if (document.object())
        for (const auto& [name, value] : *document.object()) {
            if (name == "$ref") found.push_back(*value.string());
            references(value, found);
        }
    if (document.array())
        for (const auto& element : *document.array()) references(element, found);
}

void check_references(const Json& document, std::string_view prefix, const Json& definitions) {
    std::vector<std::string> found;
    references(document, found);
    EXPECT_FALSE(found.empty());
    for (const auto& reference : found) {
        ASSERT_TRUE(reference.starts_with(prefix)) << reference;
        EXPECT_TRUE(definitions.find(reference.substr(prefix.size()))) << reference;
    }
}

TEST(OpenApi, EveryKindIsDefinedAndReferencesLeadSomewhere) {
    const auto document = openapi_v2();
    const auto& definitions = *document.find("definitions");
    EXPECT_EQ(definitions.object()->size(), all_kinds().size() + 1);
    check_references(document, "#/definitions/", definitions);
    const auto* machine = definitions.find("io.kubevirt.v1.VirtualMachine");
    ASSERT_TRUE(machine);
    EXPECT_EQ(machine->find("x-kubernetes-group-version-kind")->text(),
              R"([{"group":"kubevirt.io","kind":"VirtualMachine","version":"v1"}])");
    EXPECT_EQ(machine
                  ->at({"properties", "spec", "properties", "template", "properties", "spec",
                        "properties", "domain", "properties", "cpu", "properties", "cores"})
                  ->text_at({"type"}),
              "integer");
}

TEST(OpenApi, EveryPathSaysWhatStandsInIt) {
    const auto document = openapi_v2();
    const auto& paths = *document.find("paths")->object();
    EXPECT_EQ(paths.size(), all_kinds().size() * 2);
    for (const auto& [path, item] : paths) {
        const auto& parameters = *item.find("parameters")->array();
        EXPECT_EQ(parameters.size(), std::ranges::count(path, '{')) << path;
        for (const auto& parameter : parameters)
            EXPECT_TRUE(path.contains("{" + std::string{parameter.text_at({"name"})} + "}"));
    }
}

TEST(OpenApi, EveryGroupHasADocumentOfItsOwn) {
    const auto index = openapi_v3_index();
    EXPECT_EQ(index.find("paths")->object()->size(), 4u);
    const std::vector<std::string> path{"apis", "sheaf.io", "v1"};
    const auto document = openapi_v3(path);
    ASSERT_TRUE(document);
    check_references(*document, "#/components/schemas/", *document->at({"components", "schemas"}));
    const auto* patch =
        document->at({"paths", "/apis/sheaf.io/v1/namespaces/{namespace}/volumes/{name}", "patch"});
    ASSERT_TRUE(patch);
    EXPECT_TRUE(std::ranges::any_of(*patch->find("parameters")->array(), [](const auto& parameter) {
        return parameter.text_at({"name"}) == "fieldValidation";
    }));
}

// Takes a message apart by its wire format; empty where it is none.
std::vector<std::pair<unsigned, std::string_view>> fields_of(std::string_view message) {
    std::vector<std::pair<unsigned, std::string_view>> fields;
    const auto varint = [&] {
        std::uint64_t value = 0;
        for (unsigned shift = 0; !message.empty(); shift += 7) {
            const auto byte = static_cast<unsigned char>(message.front());
            message.remove_prefix(1);
            value |= std::uint64_t{byte & 0x7fU} << shift;
            if (byte < 0x80) break;
        }
        return value;
    };
    while (!message.empty()) {
        const auto tag = varint();
        const auto length = varint();
        if ((tag & 7) != 2 || length > message.size()) return {};
        fields.emplace_back(tag >> 3, message.substr(0, length));
        message.remove_prefix(length);
    }
    return fields;
}

TEST(OpenApi, TheSameIsWrittenInProtobuf) {
    const auto bytes = openapi_v2_protobuf();
    const auto document = fields_of(bytes);
    ASSERT_EQ(document.size(), 4u);
    EXPECT_EQ(document[0], (std::pair{1U, std::string_view{"2.0"}}));
    EXPECT_EQ(document[3].first, 9u);
    const auto definitions = fields_of(document[3].second);
    EXPECT_EQ(definitions.size(), all_kinds().size() + 1);
    for (const auto& definition : definitions) {
        const auto named = fields_of(definition.second);
        ASSERT_EQ(named.size(), 2u);
        EXPECT_FALSE(fields_of(named[1].second).empty()) << named[0].second;
    }
}

}  // namespace
}  // namespace sheaf::api

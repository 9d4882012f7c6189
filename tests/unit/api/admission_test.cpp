#include "api/admission.h"

#include <gtest/gtest.h>

#include "api/kinds.h"

namespace sheaf::api {
namespace {

constexpr std::string_view machine = R"({
    "apiVersion": "kubevirt.io/v1", "kind": "VirtualMachine",
    "metadata": {"name": "vm", "creationTimestamp": null},
    "spec": {"runStrategy": "Always", "template": {"metadata": {"labels": {"a": "b"}}, "spec": {
        "domain": {"cpu": {"cores": 2}, "resources": {"requests": {"memory": "1Gi", "cpu": 1}},
            "devices": {"disks": [{"name": "root", "disk": {"bus": "virtio"}}],
                        "interfaces": [{"name": "net", "masquerade": {}}]}},
        "volumes": [{"name": "root", "persistentVolumeClaim": {"claimName": "root"}}],
        "networks": [{"name": "net", "pod": {}}]}}},
    "status": {"printableStatus": "Running"}})";

Admitted admit(const Kind& kind, std::string_view text, FieldValidation validation = {}) {
    const Place place{&kind, kind.namespaced() ? "default" : "", {}, false};
    std::vector<std::string> warnings;
    return admit_new(place, Json::parse(text).value(), {false, validation},
                     {"uid-1", "2027-01-15T08:00:00Z", "abcde"}, warnings);
}

// The fields that a changed machine is refused for.
std::vector<std::string> fields_refused(std::string_view from, std::string_view to) {
    std::string text{machine};
    const auto place = text.find(from);
    EXPECT_NE(place, text.npos) << from;
    text.replace(place, from.size(), to);
    const auto admitted = admit(virtual_machine_kind, text);
    std::vector<std::string> fields;
    if (admitted) return fields;
    const auto status = Json::parse(admitted.error().body).value();
    const auto* causes = status.at({"details", "causes"});
    if (!causes) return {std::string{status.text_at({"message"})}};
    for (const auto& cause : *causes->array()) fields.emplace_back(cause.text_at({"field"}));
    return fields;
}

using Fields = std::vector<std::string>;

TEST(Admission, AMachineOfTheSubsetIsTaken) {
    const auto admitted = admit(virtual_machine_kind, machine);
    ASSERT_TRUE(admitted) << admitted.error().body;
    EXPECT_FALSE(admitted->find("status"));
    EXPECT_EQ(admitted->text_at({"metadata", "namespace"}), "default");
    EXPECT_EQ(admitted->object()->front().name, "metadata");
}

TEST(Admission, AMachineIsRefusedByThePathsOfItsMistakes) {
    EXPECT_EQ(fields_refused("\"cores\": 2", "\"cores\": 0"),
              Fields{"spec.template.spec.domain.cpu.cores"});
    EXPECT_EQ(fields_refused("\"cores\": 2", "\"cores\": 2, \"numa\": {}"),
              Fields{"spec.template.spec.domain.cpu.numa"});
    EXPECT_EQ(fields_refused("\"disk\": {\"bus\": \"virtio\"}", "\"cdrom\": {}"),
              Fields{"spec.template.spec.domain.devices.disks[0].cdrom"});
    EXPECT_EQ(fields_refused("\"bus\": \"virtio\"", "\"bus\": \"sata\""),
              Fields{"spec.template.spec.domain.devices.disks[0].disk.bus"});
    EXPECT_EQ(fields_refused("{\"name\": \"root\", \"disk\"", "{\"name\": \"other\", \"disk\""),
              Fields{"spec.template.spec.domain.devices.disks[0].name"});
    EXPECT_EQ(fields_refused("\"persistentVolumeClaim\": {\"claimName\": \"root\"}",
                             "\"persistentVolumeClaim\": {\"claimName\": \"root\"}, "
                             "\"emptyDisk\": {\"capacity\": \"1Gi\"}"),
              Fields{"spec.template.spec.volumes[0]"});
    EXPECT_EQ(fields_refused("\"runStrategy\": \"Always\"",
                             "\"runStrategy\": \"Always\", \"running\": true"),
              Fields{"spec.running"});
    EXPECT_EQ(fields_refused("\"runStrategy\": \"Always\",", ""), Fields{"spec.runStrategy"});
    EXPECT_EQ(fields_refused("\"memory\": \"1Gi\"", "\"memory\": \"-1\""),
              Fields{"spec.template.spec.domain.resources.requests.memory"});
    EXPECT_EQ(
        fields_refused("[{\"name\": \"net\", \"pod\": {}}]",
                       "[{\"name\": \"net\", \"pod\": {}}, {\"name\": \"net\", \"pod\": {}}]"),
        Fields{"spec.template.spec.networks[1].name"});
    EXPECT_EQ(fields_refused("\"domain\"", "\"domains\""), Fields{"spec.template.spec.domains"});
}

TEST(Admission, DataVolumesOfAMachineFollowTheRulesOfDataVolumes) {
    const auto refused = [](const char* name, const char* spec) {
        return fields_refused("\"runStrategy\": \"Always\"",
                              fmt::format(R"("runStrategy": "Always", "dataVolumeTemplates": [
                                  {{"metadata": {{"name": "{}"}}, "spec": {}, "status": {{}}}}])",
                                          name, spec));
    };
    constexpr auto storage = R"("storage": {"resources": {"requests": {"storage": "1Gi"}}})";
    const auto spec = [&](const char* source) {
        return fmt::format("{{\"source\": {{{}}}, {}}}", source, storage);
    };
    const std::string place = "spec.dataVolumeTemplates[0].";
    EXPECT_EQ(refused("root", spec("\"blank\": {}").c_str()), Fields{});
    EXPECT_EQ(refused("other", spec("\"blank\": {}").c_str()), Fields{place + "metadata.name"});
    EXPECT_EQ(refused("Root", spec("\"blank\": {}").c_str()),
              (Fields{place + "metadata.name", place + "metadata.name"}));
    EXPECT_EQ(refused("root", spec("").c_str()), Fields{place + "spec.source"});
    EXPECT_EQ(refused("root", R"({"source": {"blank": {}}})"), Fields{place + "spec.storage"});
    EXPECT_EQ(refused("root", spec("\"http\": {\"url\": \"file:///etc/shadow\"}").c_str()),
              Fields{place + "spec.source.http.url"});
    EXPECT_EQ(refused("root", spec(R"("pvc": {"name": "a", "namespace": "b"})").c_str()),
              Fields{place + "spec.source.pvc.namespace"});
}

TEST(Admission, TheStartPriorityOfAMachineIsAWholeNumber) {
    const auto refused = [](const char* priority) {
        return fields_refused("\"name\": \"vm\"",
                              fmt::format("\"name\": \"vm\", \"annotations\": "
                                          "{{\"sheaf.io/start-priority\": \"{}\"}}",
                                          priority));
    };
    EXPECT_EQ(refused("10"), Fields{});
    EXPECT_EQ(refused("-2147483648"), Fields{});
    for (const auto* wrong : {"", "high", "1.5", "2147483648", " 1"})
        EXPECT_EQ(refused(wrong), Fields{"metadata.annotations[sheaf.io/start-priority]"}) << wrong;
}

TEST(Admission, ADataVolumeOpensNoFileOfTheHost) {
    const auto taken = [](const char* url) {
        return admit(data_volume_kind, fmt::format(R"({{"metadata": {{"name": "d"}}, "spec": {{
                         "source": {{"http": {{"url": "{}"}}}},
                         "storage": {{"resources": {{"requests": {{"storage": "1Gi"}}}}}}}}}})",
                                                   url))
            .has_value();
    };
    EXPECT_TRUE(taken("https://host/image"));
    EXPECT_TRUE(taken("http://host/image"));
    for (const auto* url : {"file:///etc/shadow", "FILE:///etc/shadow", "", "ftp://host/image"})
        EXPECT_FALSE(taken(url)) << url;
}

TEST(Admission, FieldsThatAreUnknownCanBeLeftOut) {
    std::string text{machine};
    text.replace(text.find("\"cpu\": {"), 8, "\"chassis\": {\"x\": 1}, \"cpu\": {");
    EXPECT_FALSE(admit(virtual_machine_kind, text));
    const auto admitted = admit(virtual_machine_kind, text, FieldValidation::ignore);
    ASSERT_TRUE(admitted);
    EXPECT_FALSE(admitted->at({"spec", "template", "spec", "domain", "chassis"}));
}

TEST(Admission, TheTypeOfAnObjectIsThatOfItsPath) {
    const auto refused = admit(volume_kind, machine);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().status, 400u);
    EXPECT_EQ(admit(volume_kind, "[]").error().status, 400u);
    EXPECT_EQ(admit(volume_kind, R"({"metadata":[]})").error().status, 400u);
    EXPECT_EQ(
        admit(volume_kind, R"({"metadata":{"name":"a","resourceVersion":"1"}})").error().status,
        400u);
    EXPECT_EQ(admit(volume_kind, R"({"metadata":{"name":"a","namespace":"b"}})").error().status,
              400u);
}

TEST(Admission, ASecretKeepsTextAsBase64) {
    const auto admitted =
        admit(secret_kind, R"({"metadata":{"name":"s"},"stringData":{"a":"text"}})");
    ASSERT_TRUE(admitted) << admitted.error().body;
    EXPECT_EQ(admitted->text_at({"data", "a"}), "dGV4dA==");
    EXPECT_EQ(admitted->text_at({"type"}), "Opaque");
    EXPECT_FALSE(admitted->find("stringData"));
    EXPECT_EQ(admit(secret_kind, R"({"metadata":{"name":"s"},"data":{"a":"?"}})").error().status,
              422u);
    EXPECT_EQ(
        admit(secret_kind, R"({"metadata":{"name":"s"},"stringData":{"a":1}})").error().status,
        422u);
}

TEST(Admission, EachKindOfSheafHasItsRules) {
    EXPECT_TRUE(
        admit(image_kind, R"({"metadata":{"name":"i"},"spec":{"source":{"url":"http://a"}}})"));
    EXPECT_FALSE(admit(image_kind, R"({"metadata":{"name":"i"},"spec":{"source":{"url":"a"}}})"));
    EXPECT_TRUE(admit(snapshot_kind, R"({"metadata":{"name":"i"},"spec":{"volume":"v"}})"));
    EXPECT_FALSE(admit(snapshot_kind, R"({"metadata":{"name":"i"},"spec":{}})"));
    EXPECT_TRUE(admit(network_kind, R"({"metadata":{"name":"i"},"spec":{"bridge":{"name":"b"}}})"));
    EXPECT_FALSE(admit(network_kind,
                       R"({"metadata":{"name":"i"},"spec":{"bridge":{"name":"b"},"vlan":1}})"));
    EXPECT_TRUE(admit(node_kind, R"({"metadata":{"name":"i"}})"));
    EXPECT_EQ(admit(namespace_kind, R"({"metadata":{"name":"a.b"}})").error().status, 422u);
}

// The status of what somebody may have who is not admin everywhere.
unsigned status_for_others(const Kind& kind, std::string_view text, const Json* before = nullptr) {
    const Place place{&kind, "default", before ? "a" : "", false};
    WriteOptions options;
    options.may_reach_host = false;
    std::vector<std::string> warnings;
    auto object = Json::parse(text).value();
    const auto admitted =
        before ? admit_change(place, *before, std::move(object), options, warnings)
               : admit_new(place, std::move(object), options, {"u", "t", "n"}, warnings);
    return admitted ? 200 : admitted.error().status;
}

TEST(Admission, WhatOpensTheHostIsForAdminsOfEverythingAlone) {
    constexpr std::string_view local =
        R"({"metadata":{"name":"a"},"spec":{"source":{"url":"file:///etc/shadow"}}})";
    constexpr std::string_view remote =
        R"({"metadata":{"name":"a"},"spec":{"source":{"url":"https://example.org/a"}}})";
    constexpr std::string_view bridge =
        R"({"metadata":{"name":"a"},"spec":{"bridge":{"name":"br0"}}})";
    EXPECT_EQ(status_for_others(image_kind, local), 403u);
    EXPECT_EQ(status_for_others(image_kind, remote), 200u);
    EXPECT_EQ(status_for_others(network_kind, bridge), 403u);
    std::string disk{machine};
    const auto claim = disk.find("\"persistentVolumeClaim\"");
    disk.replace(claim, disk.find('}', claim) - claim,
                 R"("hostDisk": {"path": "/etc/shadow", "type": "Disk")");
    EXPECT_EQ(status_for_others(virtual_machine_kind, disk), 403u);
    EXPECT_EQ(status_for_others(virtual_machine_kind, machine), 200u);
    // What does not touch the spec is anybody's who may write.
    auto labelled = Json::parse(bridge).value();
    labelled["metadata"]["labels"] = Json::object({{"a", "b"}});
    const auto there = admit(network_kind, bridge);
    ASSERT_TRUE(there) << there.error().body;
    EXPECT_EQ(status_for_others(network_kind, labelled.text(), &*there), 200u);
}

}  // namespace
}  // namespace sheaf::api

#include "cli/vm.h"

#include <gtest/gtest.h>

namespace sheaf::cli {
namespace {

TEST(NewMachines, AreObjects) {
    const NewMachine machine{.name = "web",
                             .image = "debian",
                             .size = "20Gi",
                             .memory = "1Gi",
                             .cpus = 2,
                             .network = "lan",
                             .ssh_key = "ssh-ed25519 AAAA me@here",
                             .starts = true};
    EXPECT_EQ(
        volume_object(machine).text(),
        R"({"apiVersion":"sheaf.io/v1","kind":"Volume","metadata":{"name":"web-root","labels":)"
        R"({"sheaf.io/machine":"web"}},"spec":{"size":"20Gi","source":{"image":"debian"}}})");
    const auto object = machine_object(machine);
    EXPECT_EQ(object.text_at({"spec", "runStrategy"}), "Always");
    const auto* spec = object.at({"spec", "template", "spec"});
    ASSERT_TRUE(spec);
    EXPECT_EQ(spec->at({"domain"})->text(),
              R"({"cpu":{"cores":2},"memory":{"guest":"1Gi"},"devices":{"disks":[{"name":"root",)"
              R"("disk":{"bus":"virtio"}},{"name":"cloud-init","disk":{"bus":"virtio"}}],)"
              R"("interfaces":[{"name":"net","bridge":{}}]}})");
    EXPECT_EQ(spec->at({"volumes"})->text(),
              R"([{"name":"root","persistentVolumeClaim":{"claimName":"web-root"}},)"
              R"({"name":"cloud-init","cloudInitNoCloud":{"userData":"#cloud-config\n)"
              R"(ssh_authorized_keys:\n- ssh-ed25519 AAAA me@here\n"}}])");
    EXPECT_EQ(spec->at({"networks"})->text(), R"([{"name":"net","multus":{"networkName":"lan"}}])");
}

TEST(NewMachines, NeedNoDisk) {
    const NewMachine machine{.name = "probe", .kernel = "linux", .kernel_arguments = "quiet"};
    EXPECT_TRUE(volume_object(machine).is_null());
    const auto object = machine_object(machine);
    EXPECT_EQ(object.text_at({"spec", "runStrategy"}), "Halted");
    EXPECT_EQ(object.at({"spec", "template", "spec", "domain", "firmware"})->text(),
              R"({"kernelBoot":{"container":{"image":"linux"},"kernelArgs":"quiet"}})");
    EXPECT_FALSE(object.at({"spec", "template", "spec", "volumes"}));
}

TEST(SshKeys, AreOneLine) {
    EXPECT_EQ(*parse_ssh_key("ssh-ed25519 AAAA me\n"), "ssh-ed25519 AAAA me");
    EXPECT_NE(parse_ssh_key("-----BEGIN OPENSSH PRIVATE KEY-----\n").error().text().find(".pub"),
              std::string::npos);
    for (const auto* text : {"", "ssh-rsa", "hello world", "ssh-rsa AAAA\nssh-rsa BBBB"})
        EXPECT_FALSE(parse_ssh_key(text)) << text;
}

TEST(Actions, AreSubresources) {
    EXPECT_EQ(action_path("default", "virtualmachines", "a b", "start"),
              "/apis/subresources.kubevirt.io/v1/namespaces/default/virtualmachines/a%20b/start");
}

}  // namespace
}  // namespace sheaf::cli

#include "node/doctor.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <set>

#include <gtest/gtest.h>

#include "base/json.h"

namespace sheaf::node {
namespace {

std::set<std::string> links() {
    auto names = std::set<std::string>{};
    for (const auto& entry : std::filesystem::directory_iterator{"/sys/class/net"})
        names.insert(entry.path().filename());
    return names;
}

TEST(Doctor, ExaminesThisHostAndLeavesNothingBehind) {
    const auto folder = std::filesystem::temp_directory_path();
    const auto before = links();
    const auto report = examine(folder.string());
    EXPECT_EQ(links(), before);

    auto topics = std::set<std::string>{};
    for (const auto& finding : report.findings) {
        EXPECT_TRUE(topics.insert(finding.topic).second) << finding.topic << " is there twice";
        EXPECT_FALSE(finding.detail.empty()) << finding.topic;
        if (finding.health == Health::ok) EXPECT_EQ(finding.remedy, "") << finding.topic;
    }
    for (const auto* topic : {"kernel", "io_uring", "cgroups", "memory", "huge pages", "tap",
                              "disk", "direct I/O", "open files", "locked memory"})
        EXPECT_TRUE(topics.contains(topic)) << topic;
    EXPECT_EQ(report.can_run, report.kvm.ring0 != Ring0::unavailable);
    EXPECT_EQ(report.kvm.instructions_per_second > 0, report.can_run);
}

TEST(Doctor, NamesADirectoryThatIsNotThere) {
    const auto report = examine("/nowhere/at/all");
    const auto disk = std::ranges::find(report.findings, "disk", &Finding::topic);
    ASSERT_NE(disk, report.findings.end());
    EXPECT_EQ(disk->health, Health::missing);
    EXPECT_TRUE(disk->detail.contains("/nowhere/at/all"));
    EXPECT_NE(disk->remedy, "");
}

DoctorReport example() {
    return {.version = "1",
            .can_run = true,
            .kvm = {.ring0 = Ring0::emulated, .instructions_per_second = 7},
            .findings = {{.topic = "tap", .detail = "there"},
                         {.topic = "bridge",
                          .health = Health::missing,
                          .detail = "absent: no networks",
                          .remedy = "modprobe bridge"}}};
}

TEST(Doctor, PrintsALineAFindingWithItsRemedy) {
    EXPECT_EQ(as_text(example()),
              "ok        tap     there\n"
              "missing   bridge  absent: no networks\n"
              "                  > modprobe bridge\n"
              "\n"
              "This host runs small guests made for it; stock kernels need a KVM in hardware.\n");
}

TEST(Doctor, VerdictFollowsWhatCanRun) {
    auto report = example();
    report.kvm.ring0 = Ring0::hardware;
    EXPECT_TRUE(as_text(report).ends_with("\nThis host can run virtual machines.\n"));
    report.can_run = false;
    EXPECT_TRUE(as_text(report).ends_with("\nThis host cannot run virtual machines.\n"));
}

// Scripts look for exactly this.
TEST(Doctor, JsonTellsHowRing0Runs) {
    const auto text = encode(example());
    EXPECT_TRUE(text.contains(R"("kvm":{"ring0":"emulated","instructions_per_second":7,)")) << text;
    EXPECT_TRUE(text.contains(R"("topic":"bridge","health":"missing")")) << text;
    EXPECT_TRUE(text.contains(R"("can_run":true)")) << text;
}

}  // namespace
}  // namespace sheaf::node

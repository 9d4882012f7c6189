#include "node/cgroup.h"

#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <thread>

#include <gtest/gtest.h>

namespace sheaf::node {
namespace {

// A folder that stands for the file systems of the kernel. Files that the kernel makes in a new
// group are made by the test before: a group that is there already is taken.
class CgroupTest : public testing::Test {
  protected:
    CgroupTest() {
        auto name = std::string{"/tmp/cgroup_test.XXXXXX"};
        root = ::mkdtemp(name.data());
    }
    ~CgroupTest() override { std::filesystem::remove_all(root); }

    std::filesystem::path make_group(const std::string& below,
                                     std::initializer_list<const char*> files) {
        const auto group = root / below;
        std::filesystem::create_directories(group);
        for (const auto* file : files) put(group / file, "");
        return group;
    }
    static void put(const std::filesystem::path& path, const std::string& text) {
        std::ofstream{path} << text;
    }
    static std::string text(const std::filesystem::path& path) {
        std::ifstream file{path};
        return {std::istreambuf_iterator<char>{file}, {}};
    }
    Cgroups::Host version_one(const std::string& own) const {
        return {
            fmt::format("31 23 0:28 / {0} rw - tmpfs tmpfs rw\n"
                        "32 31 0:29 / {0}/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n"
                        "35 31 0:32 / {0}/memory rw,relatime shared:9 - cgroup cgroup rw,memory\n"
                        "41 31 0:38 / {0}/unified rw - cgroup2 cgroup2 rw\n",
                        root.string()),
            fmt::format("4:memory:{0}\n1:cpu,cpuacct:{0}\n0::/\n", own)};
    }
    Cgroups::Host version_two(const std::string& own) const {
        return {fmt::format("29 23 0:26 / {} rw - cgroup2 cgroup2 rw,nsdelegate\n", root.string()),
                fmt::format("0::{}\n", own)};
    }
    std::filesystem::path root;
};

TEST_F(CgroupTest, VersionOneHasAGroupInEachHierarchyBelowTheDaemons) {
    const auto cpu = make_group("cpu,cpuacct/d/sheaf-u", {"cpu.cfs_period_us", "cpu.cfs_quota_us"});
    const auto memory = make_group("memory/d/sheaf-u", {"memory.limit_in_bytes"});
    const auto cgroups = Cgroups::find(version_one("/d"));
    ASSERT_TRUE(cgroups) << cgroups.error().text();
    const auto groups = cgroups->make("u", {.cpu = 1500, .memory = 64 << 20});
    ASSERT_TRUE(groups) << groups.error().text();
    EXPECT_EQ(*groups, (std::vector<std::string>{cpu, memory}));
    EXPECT_EQ(text(cpu / "cpu.cfs_period_us"), "100000");
    EXPECT_EQ(text(cpu / "cpu.cfs_quota_us"), "150000");
    EXPECT_EQ(text(memory / "memory.limit_in_bytes"), "67108864");
}

TEST_F(CgroupTest, VersionTwoHasOneGroupBesideTheDaemons) {
    const auto group = make_group("system.slice/sheaf-u", {"cpu.max", "memory.max"});
    put(make_group("system.slice", {}) / "cgroup.subtree_control", "");
    put(make_group("system.slice/sheaf.service", {}) / "cgroup.controllers",
        "cpuset cpu io memory pids\n");
    const auto cgroups = Cgroups::find(version_two("/system.slice/sheaf.service"));
    ASSERT_TRUE(cgroups) << cgroups.error().text();
    const auto groups = cgroups->make("u", {.cpu = 500, .memory = 4096});
    ASSERT_TRUE(groups) << groups.error().text();
    EXPECT_EQ(*groups, std::vector<std::string>{group});
    EXPECT_EQ(text(root / "system.slice/cgroup.subtree_control"), "+cpu +memory");
    EXPECT_EQ(text(group / "cpu.max"), "50000 100000");
    EXPECT_EQ(text(group / "memory.max"), "4096");
}

TEST_F(CgroupTest, WithoutCapsThereIsAGroupAllTheSame) {
    make_group("cpu,cpuacct", {});
    make_group("memory", {});
    const auto groups = Cgroups::find(version_one("/"))->make("u", {});
    ASSERT_TRUE(groups) << groups.error().text();
    for (const auto& group : *groups) EXPECT_TRUE(std::filesystem::is_directory(group));
    EXPECT_TRUE(remove_cgroups(*groups));
    for (const auto& group : *groups) EXPECT_FALSE(std::filesystem::exists(group));
    EXPECT_TRUE(remove_cgroups(*groups)) << "what is gone is removed already";
}

TEST_F(CgroupTest, ACapThatIsRefusedLeavesNoGroup) {
    make_group("cpu,cpuacct", {});
    make_group("memory", {});
    const auto groups = Cgroups::find(version_one("/"))->make("u", {.cpu = 1000, .memory = {}});
    ASSERT_FALSE(groups);
    EXPECT_TRUE(groups.error().text().contains("cfs_period")) << groups.error().text();
    EXPECT_FALSE(std::filesystem::exists(root / "cpu,cpuacct/sheaf-u"));
    EXPECT_FALSE(std::filesystem::exists(root / "memory/sheaf-u"));
}

TEST_F(CgroupTest, AHostWithoutThemSaysSo) {
    EXPECT_EQ(Cgroups::find({}).error().kind(), Kind::unavailable);
    EXPECT_EQ(Cgroups::find({"31 23 0:28 / x - tmpfs\nnonsense - \n", "::\nx\n"}).error().kind(),
              Kind::unavailable);
}

TEST_F(CgroupTest, JoiningWritesThisProcess) {
    const auto group = make_group("g", {"cgroup.procs"});
    ASSERT_TRUE(join_cgroup(group));
    EXPECT_EQ(text(group / "cgroup.procs"), std::to_string(::getpid()));
    EXPECT_EQ(join_cgroup(root / "none").error().kind(), Kind::not_found);
}

TEST_F(CgroupTest, ALoneThreadOfVersionOneMovesItself) {
    const auto group = make_group("g", {"cgroup.procs", "tasks"});
    ASSERT_TRUE(join_cgroup(group));
    EXPECT_EQ(text(group / "tasks"), "0");
    EXPECT_EQ(text(group / "cgroup.procs"), "");
    std::jthread{[&] { EXPECT_TRUE(join_cgroup(group)); }}.join();
    EXPECT_EQ(text(group / "cgroup.procs"), std::to_string(::getpid())) << "one of two threads";
}

}  // namespace
}  // namespace sheaf::node

#include "cli/run_options.h"

#include <gtest/gtest.h>

#include "cli/verbs.h"

namespace sheaf::cli {
namespace {

Result<node::RunOptions> parse_words(std::vector<std::string> words) {
    auto pointers = std::vector<char*>{};
    for (auto& word : words) pointers.push_back(word.data());
    return parse_run_options(*parse(run_verb, pointers));
}

std::string mistake(std::vector<std::string> words) {
    words.insert(words.begin(), {"--kernel", "k"});
    const auto options = parse_words(std::move(words));
    return options ? "none" : options.error().text();
}

TEST(RunOptions, DefaultsAreThoseOfTheHelp) {
    const auto options = parse_words({"--kernel", "vmlinuz"});
    ASSERT_TRUE(options);
    EXPECT_EQ(options->kernel, "vmlinuz");
    EXPECT_EQ(options->cpus, 1u);
    EXPECT_EQ(options->memory, 512_MiB);
    EXPECT_EQ(options->command_line, "console=ttyS0");
    EXPECT_EQ(options->on_reboot, node::OnReboot::restart);
    EXPECT_EQ(options->console, "stdio");
    EXPECT_FALSE(options->initrd);
    EXPECT_FALSE(options->balloon);
}

TEST(RunOptions, WithoutAKernelFirmwareStartsFromDisks) {
    auto options = parse_words({"--disk", "path=a", "--disk", "path=b,boot=1", "--cdrom", "c"});
    ASSERT_TRUE(options) << options.error().text();
    EXPECT_EQ(options->firmware, "uefi");
    EXPECT_TRUE(options->kernel.empty());
    ASSERT_EQ(options->disks.size(), 3u);
    EXPECT_FALSE(options->disks[0].boot);
    EXPECT_EQ(options->disks[1].boot, 1u);
    EXPECT_EQ(options->disks[2].path, "c");
    EXPECT_TRUE(options->disks[2].read_only);
    options = parse_words({"--firmware", "F"});
    ASSERT_TRUE(options);
    EXPECT_EQ(options->firmware, "F");
    const auto refused = parse_words({"--disk", "path=a", "--initrd", "i"});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().text(), "--initrd goes with --kernel");
    EXPECT_EQ(mistake({"--firmware", "uefi"}), "--kernel and --firmware exclude each other");
    EXPECT_EQ(mistake({"--disk", "path=a,boot=0"}), "--disk: boot: 0 is not between 1 and 32");
    EXPECT_EQ(mistake({"--cdrom", ""}), "--cdrom is empty");
    EXPECT_TRUE(parse_words({"--disk", "path=a", "--cpus", "64"}));
    EXPECT_EQ(parse_words({"--disk", "path=a", "--cpus", "65"}).error().text(),
              "--cpus: UEFI starts at most 64, not 65");
    EXPECT_TRUE(parse_words({"--firmware", "F", "--cpus", "65"}));
    EXPECT_TRUE(parse_words({"--kernel", "k", "--cpus", "65"}));
}

TEST(RunOptions, EveryOptionIsTaken) {
    const auto options = parse_words({"--kernel",
                                      "k",
                                      "--initrd",
                                      "i",
                                      "--cmdline",
                                      "quiet",
                                      "--cpus",
                                      "2",
                                      "--memory",
                                      "1G",
                                      "--disk",
                                      "path=a,format=raw,readonly",
                                      "--disk",
                                      "path=b,serial=s1",
                                      "--net",
                                      "tap=tap0,mac=52:54:00:12:34:56,mtu=9000",
                                      "--balloon",
                                      "--vsock",
                                      "7,socket=/v",
                                      "--gdb",
                                      "unix:/g,wait",
                                      "--console",
                                      "unix:/x",
                                      "--on-reboot",
                                      "exit",
                                      "--pid-file",
                                      "p",
                                      "--report",
                                      "r",
                                      "--grace",
                                      "5"});
    ASSERT_TRUE(options) << options.error().text();
    EXPECT_EQ(options->initrd, "i");
    EXPECT_EQ(options->cpus, 2u);
    ASSERT_EQ(options->disks.size(), 2u);
    EXPECT_TRUE(options->disks[0].read_only);
    EXPECT_FALSE(options->disks[1].read_only);
    EXPECT_TRUE(options->disks[0].raw);
    EXPECT_FALSE(options->disks[1].raw) << "only a person's word makes any image raw";
    EXPECT_EQ(options->disks[1].serial, "s1");
    ASSERT_EQ(options->nets.size(), 1u);
    EXPECT_EQ(options->nets[0].tap, "tap0");
    EXPECT_EQ(options->nets[0].mtu, 9000);
    EXPECT_TRUE(options->balloon);
    ASSERT_TRUE(options->vsock);
    EXPECT_EQ(options->vsock->cid, 7u);
    EXPECT_EQ(options->vsock->socket, "/v");
    ASSERT_TRUE(options->gdb);
    EXPECT_EQ(options->gdb->socket, "/g");
    EXPECT_TRUE(options->gdb->wait);
    EXPECT_EQ(options->on_reboot, node::OnReboot::exit);
    EXPECT_EQ(options->pid_file, "p");
    EXPECT_EQ(options->report, "r");
    EXPECT_EQ(options->grace, std::chrono::seconds{5});
}

TEST(RunOptions, EachMistakeIsOneSentenceThatNamesTheOption) {
    EXPECT_EQ(mistake({"--cpus", "0"}), "--cpus: 0 is not between 1 and 254");
    EXPECT_EQ(mistake({"--cpus", "two"}), "--cpus: \"two\" is not a number");
    EXPECT_EQ(mistake({"--memory", "1M"}), "--memory: 1M is not between 2M and 16T");
    EXPECT_EQ(mistake({"--memory", "2097153"}), "--memory: 2097153 is not a multiple of 4K");
    EXPECT_EQ(mistake({"--disk", "readonly"}), "--disk: \"readonly\" names no path and no volume");
    EXPECT_NE(mistake({"--disk", "path=a,format=qcow2"}).find("qemu-img convert"),
              std::string::npos);
    EXPECT_NE(mistake({"--disk", "path=a,serial=123456789012345678901"}).find("longer than 20"),
              std::string::npos);
    EXPECT_EQ(mistake({"--net", "mac=52:54:00:12:34:56"}),
              "--net: \"mac=52:54:00:12:34:56\" names no tap");
    EXPECT_EQ(mistake({"--net", "tap=t,mac=01:00:00:00:00:01"}),
              "--net: \"01:00:00:00:00:01\" is no address a single card can have");
    EXPECT_NE(mistake({"--net", "tap=t,mac=5:54:00:12:34:56"}).find("5:54:00:12:34:56"),
              std::string::npos);
    EXPECT_EQ(mistake({"--net", "tap=t,mtu=67"}), "--net: mtu: 67 is not between 68 and 65535");
    EXPECT_EQ(mistake({"--vsock", "2,socket=/v"}),
              "--vsock: CID: 2 is not between 3 and 4294967294");
    EXPECT_EQ(mistake({"--vsock", "3"}), "--vsock: \"3\" names no socket");
    EXPECT_EQ(mistake({"--vsock", "socket=/v"}), "--vsock: CID: \"socket=/v\" is not a number");
    EXPECT_NE(mistake({"--vsock", "3,path=/v"}).find("path"), std::string::npos);
    EXPECT_EQ(mistake({"--gdb", "/g"}), "--gdb: \"/g\" is not unix:PATH or unix:PATH,wait");
    EXPECT_EQ(mistake({"--gdb", "unix:,wait"}), "--gdb: \"unix:,wait\" names no socket");
    EXPECT_EQ(mistake({"--gdb", "unix:/g,stop"}), "--gdb: \"stop\" is not \"wait\"");
    EXPECT_EQ(mistake({"--on-reboot", "never"}),
              "--on-reboot is \"restart\" or \"exit\", not \"never\"");
    EXPECT_EQ(mistake({"--initrd", ""}), "--initrd is empty");
}

}  // namespace
}  // namespace sheaf::cli

#include "base/log.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <thread>

#include <gtest/gtest.h>

#include "base/fd.h"

namespace sheaf {
namespace {

// A pipe that a logger writes into; packet mode keeps the border of every write(2).
class LogPipe {
  public:
    LogPipe() {
        std::array<int, 2> ends{};
        if (::pipe2(ends.data(), O_CLOEXEC | O_NONBLOCK | O_DIRECT) != 0) return;
        read_ = Fd{ends[0]};
        write_ = Fd{ends[1]};
    }

    Logger logger(LogLevel least = LogLevel::info) const { return Logger{write_.get(), least}; }

    // What one write(2) brought, empty where there is no more.
    std::string next() const {
        auto line = std::string(8192, '\0');
        const auto length = ::read(read_.get(), line.data(), line.size());
        line.resize(length > 0 ? static_cast<std::size_t>(length) : 0);
        return line;
    }

  private:
    Fd read_;
    Fd write_;
};

TEST(Log, ALineIsOneWriteOfKeysAndValues) {
    const auto pipe = LogPipe{};
    pipe.logger().info("disk opened", {{"disk", "vda"}, {"size", "512"}, {"note", ""}});
    EXPECT_EQ(pipe.next(),
              "sheaf: level=info message=\"disk opened\" disk=vda size=512 note=\"\"\n");
    EXPECT_EQ(pipe.next(), "");
}

TEST(Log, LevelsBelowTheLeastAreDropped) {
    const auto pipe = LogPipe{};
    const auto logger = pipe.logger(LogLevel::warning);
    logger.debug("a");
    logger.info("b");
    logger.warning("c");
    logger.error("d");
    EXPECT_EQ(pipe.next(), "sheaf: level=warning message=c\n");
    EXPECT_EQ(pipe.next(), "sheaf: level=error message=d\n");
    EXPECT_EQ(pipe.next(), "");
}

TEST(Log, NobodyCanForgeALineOrSteerATerminal) {
    const auto pipe = LogPipe{};
    pipe.logger().info("x\nsheaf: level=error message=forged",
                       {{"guest", "a\x1b[2J\r\x7f\xc2\x9b\xff\\\" level=error"}});
    EXPECT_EQ(pipe.next(),
              "sheaf: level=info message=\"x\\x0asheaf: level=error message=forged\" "
              "guest=\"a\\x1b[2J\\x0d\\x7f\\u009b\\xff\\\\\\\" level=error\"\n");
    EXPECT_EQ(pipe.next(), "");
}

TEST(Log, TextOfOtherLanguagesStays) {
    const auto pipe = LogPipe{};
    pipe.logger().info("gr\xc3\xbc\xc3\x9f", {{"n", "\xe2\x82\xac"}});
    EXPECT_EQ(pipe.next(), "sheaf: level=info message=gr\xc3\xbc\xc3\x9f n=\xe2\x82\xac\n");
}

TEST(Log, LongLinesAreCutWithinTheLimit) {
    const auto pipe = LogPipe{};
    for (const auto& value : {std::string(5000, 'x'), std::string(5000, '\n'),
                              std::string(Logger::line_limit - 30, 'y')}) {
        pipe.logger().info("m", {{"value", value}, {"last", "z"}});
        const auto line = pipe.next();
        EXPECT_LE(line.size(), Logger::line_limit);
        EXPECT_GE(line.size(), Logger::line_limit - 8);
        EXPECT_TRUE(line.ends_with("...\n"));
        EXPECT_EQ(line.find('\n'), line.size() - 1);
    }
    EXPECT_EQ(pipe.next(), "");
}

TEST(Log, LinesOfManyThreadsStayWhole) {
    const auto pipe = LogPipe{};
    {
        auto threads = std::array<std::jthread, 4>{};
        for (auto& thread : threads)
            thread = std::jthread{[&pipe] {
                for (int i = 0; i < 3; ++i) pipe.logger().info("same words");
            }};
    }
    for (int i = 0; i < 12; ++i)
        EXPECT_EQ(pipe.next(), "sheaf: level=info message=\"same words\"\n");
    EXPECT_EQ(pipe.next(), "");
}

}  // namespace
}  // namespace sheaf

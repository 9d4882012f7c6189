#include "devices/console/shared.h"

#include <string>

#include <gtest/gtest.h>

#include "base/bytes.h"

namespace sheaf::console {
namespace {

// A person: reads all, types what the test says.
class Person final : public Backend {
  public:
    void write(std::span<const std::byte> bytes) override { seen += as_text(bytes); }
    std::size_t read(std::span<std::byte> bytes) override {
        const auto part = typed.substr(0, bytes.size());
        std::ranges::copy(as_bytes(part), bytes.begin());
        typed.erase(0, part.size());
        return part.size();
    }
    void listen(Listener* whom) override { listener = whom; }
    void type(std::string_view text) {
        typed += text;
        listener->input_available();
    }

    std::string seen;
    std::string typed;
    Listener* listener = nullptr;
};

// A device that reads whatever it is told of.
class Reader final : public Listener {
  public:
    explicit Reader(Backend& backend) : backend_(backend) { backend_.listen(this); }
    ~Reader() { backend_.listen(nullptr); }
    void input_available() override {
        std::array<std::byte, 16> bytes;
        const auto count = backend_.read(bytes);
        got += as_text(std::span{bytes}.first(count));
    }
    std::string got;

  private:
    Backend& backend_;
};

class SharedTest : public testing::Test {
  protected:
    Person person;
    Shared shared{person};
};

TEST_F(SharedTest, WhatEitherPrintsIsSeen) {
    shared.serial().write(as_bytes("one "));
    shared.virtio().write(as_bytes("two "));
    shared.serial().write(as_bytes("three"));
    EXPECT_EQ(person.seen, "one two three");
}

TEST_F(SharedTest, WhatIsTypedGoesToTheOneThatPrintedLast) {
    Reader serial{shared.serial()};
    Reader virtio{shared.virtio()};
    person.type("a");
    EXPECT_EQ(serial.got, "a") << "the serial port, before anybody printed";
    shared.virtio().write(as_bytes("login: "));
    person.type("b");
    EXPECT_EQ(virtio.got, "b");
    shared.serial().write(as_bytes("panic"));
    person.type("c");
    EXPECT_EQ(serial.got, "ac");
    EXPECT_EQ(virtio.got, "b");
}

TEST_F(SharedTest, WhereTheLastDoesNotListenTheSerialPortHears) {
    Reader serial{shared.serial()};
    {
        const Reader virtio{shared.virtio()};
        shared.virtio().write(as_bytes("x"));
    }
    person.type("a");
    EXPECT_EQ(serial.got, "a");
}

TEST_F(SharedTest, WhereNobodyListensInputWaits) {
    person.type("abc");
    EXPECT_EQ(person.typed, "abc");
    std::array<std::byte, 2> bytes;
    EXPECT_EQ(shared.virtio().read(bytes), 2u) << "whoever asks is given what there is";
    EXPECT_EQ(as_text(bytes), "ab");
    EXPECT_EQ(person.typed, "c");
}

TEST(Shared, ListensForAsLongAsItLives) {
    Person person;
    {
        const Shared shared{person};
        EXPECT_NE(person.listener, nullptr);
    }
    EXPECT_EQ(person.listener, nullptr);
}

}  // namespace
}  // namespace sheaf::console

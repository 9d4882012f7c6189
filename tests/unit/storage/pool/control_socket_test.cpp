#include "storage/pool/control_socket.h"

#include <sys/stat.h>

#include "scratch_pool.h"

namespace sheaf::pool {
namespace {

class ControlSockets : public ScratchPool {
  protected:
    ControlSockets() : volume(make()) {}
    Directory make() {
        EXPECT_TRUE(create("v"));
        return pool->find(Shelf::volumes, "v").value();
    }
    Directory volume;
};

TEST_F(ControlSockets, ConnectWhereSomebodyListens) {
    EXPECT_EQ(connect_to_control(volume).error().kind(), Kind::not_found);
    auto listener = listen_for_control(volume).value();
    EXPECT_TRUE(connect_to_control(volume));
    struct stat status{};
    ASSERT_EQ(::stat(volume.path_of("control").c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777, 0600u);
}

TEST_F(ControlSockets, OneThatADeadEngineLeftIsReplaced) {
    listen_for_control(volume).value().reset();
    EXPECT_EQ(connect_to_control(volume).error().kind(), Kind::unavailable);
    const auto listener = listen_for_control(volume).value();
    EXPECT_TRUE(connect_to_control(volume));
    ASSERT_TRUE(remove_control(volume));
    EXPECT_EQ(connect_to_control(volume).error().kind(), Kind::not_found);
}

// A socket's path may have 107 characters.
TEST_F(ControlSockets, ALongPathIsNoHindrance) {
    const auto deep = path() + "/" + std::string(200, 'd');
    std::filesystem::create_directory(deep);
    const auto directory = Directory::open(deep).value();
    const auto listener = listen_for_control(directory);
    ASSERT_TRUE(listener) << listener.error().text();
    EXPECT_TRUE(connect_to_control(directory));
}

}  // namespace
}  // namespace sheaf::pool

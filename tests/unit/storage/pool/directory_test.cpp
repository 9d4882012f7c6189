#include "storage/pool/directory.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "scratch_pool.h"

namespace sheaf::pool {
namespace {

class Directories : public ScratchPool {
  protected:
    Directory root = Directory::open(path()).value();
};

TEST_F(Directories, WhatIsNotADirectoryIsNamed) {
    put("file");
    EXPECT_EQ(Directory::open(path() + "/none").error().kind(), Kind::not_found);
    EXPECT_EQ(Directory::open(path() + "/file").error().text(),
              path() + "/file is not a directory");
    EXPECT_EQ(root.open_below("file").error().kind(), Kind::invalid);
}

TEST_F(Directories, LinksAreNotFollowed) {
    ASSERT_EQ(::symlink("/etc/passwd", root.path_of("link").c_str()), 0);
    ASSERT_EQ(::symlink("/etc", root.path_of("folder").c_str()), 0);
    EXPECT_FALSE(root.open_file("link", O_RDONLY));
    EXPECT_FALSE(root.open_below("folder"));
}

TEST_F(Directories, APipeInAFilesPlaceIsRefusedAtOnce) {
    ASSERT_EQ(::mkfifo(root.path_of("pipe").c_str(), 0600), 0);
    EXPECT_EQ(root.open_file("pipe", O_RDONLY).error().kind(), Kind::corrupt);
}

TEST_F(Directories, AFileIsReplacedWhole) {
    ASSERT_TRUE(root.write_file("note", "one"));
    ASSERT_TRUE(root.write_file("note", "two"));
    EXPECT_EQ(root.read_file("note").value(), "two");
    EXPECT_FALSE(root.has(".note.new").value());
}

TEST_F(Directories, ALongFileIsNotRead) {
    put("long", std::string(1 << 17, 'x'));
    EXPECT_EQ(root.read_file("long").error().kind(), Kind::corrupt);
}

TEST_F(Directories, ANameThatIsTakenIsNotTakenAgain) {
    ASSERT_TRUE(root.make_below("one"));
    ASSERT_TRUE(root.make_below("two"));
    EXPECT_EQ(root.rename("one", root, "two").error().kind(), Kind::exists);
    EXPECT_TRUE(root.rename("one", root, "three"));
}

TEST_F(Directories, WhatIsGoneIsRemovedAlready) {
    EXPECT_TRUE(root.remove_file("none"));
    EXPECT_TRUE(root.remove_directory("none"));
    const auto below = root.make_below("below").value();
    ASSERT_TRUE(below.make_file("a"));
    EXPECT_TRUE(root.remove_directory("below"));
    EXPECT_FALSE(root.has("below").value());
}

}  // namespace
}  // namespace sheaf::pool

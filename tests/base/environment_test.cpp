#include "tenon/base/environment.h"

#include <cstdlib>

#include "tenon/base/error.h"

namespace tenon {
namespace {

// Sets a variable (or removes it) and puts the old state back.
class ScopedVariable {
 public:
  ScopedVariable(const char* name, const char* value) : name_(name) {
    if (const char* old = std::getenv(name)) old_ = old;
    set(value);
  }
  ~ScopedVariable() { set(old_ ? old_->c_str() : nullptr); }

 private:
  void set(const char* value) { value != nullptr ? setenv(name_, value, 1) : unsetenv(name_); }
  const char* name_;
  std::optional<std::string> old_;
};

TEST(Environment, CacheFolderFollowsTheFirstVariableThatIsSet) {
  ScopedVariable own("TENON_CACHE_DIR", "/a"), xdg("XDG_CACHE_HOME", "/b"), home("HOME", "/c");
  EXPECT_EQ(environment::cache_folder(), "/a");
  ScopedVariable no_own("TENON_CACHE_DIR", "");
  EXPECT_EQ(environment::cache_folder(), "/b/tenon");
  ScopedVariable no_xdg("XDG_CACHE_HOME", nullptr);
  EXPECT_EQ(environment::cache_folder(), "/c/.cache/tenon");
  ScopedVariable no_home("HOME", nullptr), temporary("TMPDIR", "/d");
  EXPECT_EQ(environment::cache_folder().parent_path(), "/d");
}

TEST(Environment, ThreadsAreChecked) {
  ScopedVariable unset("TENON_THREADS", nullptr);
  EXPECT_EQ(environment::threads(), std::nullopt);
  ScopedVariable three("TENON_THREADS", "3");
  EXPECT_EQ(environment::threads(), 3);
  for (const char* bad : {"0", "-1", "1025", "2x", " 2", "99999999999", "two"}) {
    ScopedVariable variable("TENON_THREADS", bad);
    try {
      environment::threads();
      ADD_FAILURE() << "no error for " << bad;
    } catch (const UserError& error) {
      EXPECT_EQ(
          error.what(),
          fmt::format("TENON_THREADS is \"{}\"; expected a whole number from 1 to 1024", bad));
    }
  }
}

TEST(Environment, LimitsAreChecked) {
  ScopedVariable seconds("TENON_COMPILE_SECONDS", nullptr), size("TENON_CACHE_MIB", nullptr);
  EXPECT_EQ(environment::compile_seconds(), 600);
  EXPECT_EQ(environment::cache_mib(), 1024);
  ScopedVariable five("TENON_COMPILE_SECONDS", "5"), none("TENON_CACHE_MIB", "0");
  EXPECT_EQ(environment::compile_seconds(), 5);
  try {
    environment::cache_mib();
    ADD_FAILURE() << "no error";
  } catch (const UserError& error) {
    EXPECT_STREQ(error.what(),
                 "TENON_CACHE_MIB is \"0\"; expected a whole number from 1 to 1048576");
  }
}

TEST(Environment, VectorBytesAreChecked) {
  ScopedVariable unset("TENON_VECTOR_BYTES", nullptr);
  EXPECT_EQ(environment::vector_bytes(), 64);
  ScopedVariable avx2("TENON_VECTOR_BYTES", "32");
  EXPECT_EQ(environment::vector_bytes(), 32);
  ScopedVariable bad("TENON_VECTOR_BYTES", "16");
  try {
    environment::vector_bytes();
    ADD_FAILURE() << "no error";
  } catch (const UserError& error) {
    EXPECT_STREQ(error.what(), "TENON_VECTOR_BYTES is \"16\"; expected 32 or 64");
  }
}

TEST(Environment, FlagsAndLists) {
  ScopedVariable off("TENON_KEEP_SOURCE", "0");
  EXPECT_FALSE(environment::keep_source());
  ScopedVariable on("TENON_KEEP_SOURCE", "1");
  EXPECT_TRUE(environment::keep_source());
  ScopedVariable path("PATH", "/one::/two");
  EXPECT_EQ(environment::program_folders(),
            (std::vector<std::filesystem::path>{"/one", ".", "/two"}));
  ScopedVariable compiler("TENON_CC", "clang-14");
  EXPECT_EQ(environment::compiler(), "clang-14");
}

}  // namespace
}  // namespace tenon

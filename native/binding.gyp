{
  'targets': [
    {
      'target_name': 'hast',
      'sources': [
        'src/addon.cc',
        'src/codecs.cc',
        'src/device.cc',
        'src/disk-pool.cc',
        'src/ggate/abi-check.c',
        'src/ggate/binding.cc',
        'src/ggate/disk.cc',
        'src/ggate/driver.cc',
        'src/ggate/provider.cc',
        'src/ggate/system.cc',
        'src/memory.cc',
        'src/process.cc',
        'src/socket.cc',
        'src/syslog.cc',
        'src/transfer.cc',
      ],
      'include_dirs': ['<!@(node -p "require(\'node-addon-api\').include")'],
      'defines': ['NAPI_VERSION=8', 'NODE_ADDON_API_DISABLE_CPP_EXCEPTIONS'],
      'cflags': ['-Wall', '-Wextra', '-Wno-unused-parameter'],
      'cflags_cc': ['-std=c++17'],
    },
  ],
}

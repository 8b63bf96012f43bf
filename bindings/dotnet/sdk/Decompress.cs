// decompress.exe Microsoft.DotNet.Archive.dll ARCHIVE FILE: takes the LZMA layer off the SDK's archive of packages.

using System;
using System.IO;
using System.Reflection;

internal static class Program
{
    private static void Main(string[] args)
    {
        Assembly archive = Assembly.LoadFrom(args[0]);
        object progress = Activator.CreateInstance(archive.GetType("Microsoft.DotNet.Archive.ConsoleProgressReport"));
        MethodInfo decompress = archive.GetType("Microsoft.DotNet.Archive.CompressionUtility").GetMethod("Decompress");
        using (Stream from = File.OpenRead(args[1]))
        using (Stream to = File.Create(args[2]))
        {
            decompress.Invoke(null, new[] { from, to, progress });
        }
    }
}
